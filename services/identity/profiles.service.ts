// Profiles: the faces of an account.
import type { Tx } from "../../mixins/node.ts";
import { isTool, newId, once, pageById, service, tellFacts } from "../../mixins/node.ts";
import { describePictures } from "../../mixins/pictures.ts";
import { problem } from "../contracts/errors.ts";
import { maySignIn } from "./domain/login.ts";
import type { StoredProfile } from "./domain/profile.ts";
import { changed, isSame, mayDelete, mayHaveOneMore } from "./domain/profile.ts";
import { dropProfile } from "./profiles/drop-profile.ts";
import { identityNode, issueTokens, PROFILES_IN_TOKEN } from "./node.ts";
import { saveProfile } from "./profiles/save-profile.ts";
import { shownProfile } from "./profiles/shown.ts";
import { holdAccount } from "./store/accounts.ts";
import { foldNames, searchProfiles } from "./store/profile-search.ts";
import { findProfile, insertProfile, lockProfiles, profilesOf } from "./store/profiles.ts";
import { supersedeRefreshTokens } from "./store/refresh-tokens.ts";
import { profileOfSession, switchSession } from "./store/sessions.ts";

/** The account's profiles, which nobody else changes until the transaction ends. */
async function lockedProfiles(tx: Tx, accountId: string): Promise<StoredProfile[]> {
	if (!(await lockProfiles(tx, accountId))) throw problem("not-found");
	return profilesOf(tx, accountId);
}

export default service("profiles", {
	node: identityNode,

	actions: {
		list(ctx, { db }) {
			const { q, kind, ...page } = ctx.params;
			const shown = (profiles: readonly StoredProfile[]) => profiles.map((profile) => shownProfile(ctx.broker, profile));
			if (q === undefined && kind === undefined)
				return pageById(page, async (after, limit) => shown(await profilesOf(db, ctx.caller.accountId, after, limit)));
			return pageById(page, async (before, limit) => shown(await searchProfiles(db, { q, kind }, before, limit)));
		},

		async me(ctx, { db }) {
			const profile = await findProfile(db, ctx.caller.profileId);
			if (!profile) throw problem("not-found");
			return shownProfile(ctx.broker, profile);
		},

		async show(ctx, { db }) {
			const profile = await findProfile(db, ctx.params.profileId);
			if (!profile) throw problem("not-found");
			return shownProfile(ctx.broker, profile);
		},

		async create(ctx, { db }) {
			const { accountId } = ctx.caller;
			const { displayName, kind } = ctx.params;
			return once(ctx, db, async (tx) => {
				mayHaveOneMore((await lockedProfiles(tx, accountId)).length);
				const profile = { id: newId(), displayName, kind };
				await insertProfile(tx, accountId, profile, new Date());
				const payload = { accountId, profileId: profile.id, displayName, kind };
				await tellFacts(tx, ctx, [{ type: "identity.profile.created", aggregate: accountId, payload }]);
				return profile;
			});
		},

		async update(ctx, { db }) {
			const { accountId } = ctx.caller;
			const { profileId, ...change } = ctx.params;
			// Whose picture it is, another node knows: asked before anything is locked.
			if (change.avatar) await describePictures(ctx, "avatar", [change.avatar], { ownerId: accountId, single: true });
			return db.tx(async (tx) => {
				const before = (await lockedProfiles(tx, accountId)).find(({ id }) => id === profileId);
				if (!before) throw problem("not-found");
				const profile = changed(before, change);
				if (!isSame(profile, before)) await saveProfile(tx, ctx, accountId, profile, new Date());
				return shownProfile(ctx.broker, profile);
			});
		},

		async remove(ctx, node) {
			const { accountId, sessionId, profileId: active } = ctx.caller;
			return node.db.tx(async (tx) => {
				const profiles = await lockedProfiles(tx, accountId);
				const remembered = await profileOfSession(tx, sessionId);
				const profile = mayDelete(ctx.params.profileId, profiles, remembered ? [active, remembered] : [active]);
				await dropProfile(node, tx, ctx, accountId, profile, new Date());
				return {};
			});
		},

		async switch(ctx, node) {
			const { accountId, sessionId } = ctx.caller;
			const { profileId } = ctx.params;
			return once(ctx, node.db, async (tx) => {
				const now = new Date();
				// Held: nobody deletes the profile, or changes the account's role or state, meanwhile.
				const account = await holdAccount(tx, accountId);
				if (!account) throw problem("invalid-token");
				maySignIn(account);
				const profiles = await profilesOf(tx, accountId, null, PROFILES_IN_TOKEN);
				const profile = profiles.find(({ id }) => id === profileId);
				if (!profile) throw problem("not-found");
				const session = await switchSession(tx, { sessionId, accountId }, profileId, now);
				if (!session) throw problem("invalid-token");
				const refreshToken = node.signing.newRefreshToken();
				await supersedeRefreshTokens(tx, sessionId, refreshToken, now);
				return {
					profile: shownProfile(ctx.broker, profile),
					tokens: await issueTokens(node, account, profile, profiles, session, refreshToken, now),
				};
			});
		},
	},

	started({ db }, broker) {
		if (isTool(broker)) return;
		foldNames(db).catch((error) => broker.logger.warn("Names could not be folded; the next start tries again.", { error: String(error) }));
	},
});
