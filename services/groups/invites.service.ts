// Invites into groups: made by members, to a profile or to an address; answered by the one invited, by the invite's id or by its token.
import { newId, pageById, perBroker, service, settings } from "../../mixins/node.ts";
import { limiterOf } from "../../mixins/limits.ts";
import { keyFor } from "../../mixins/secret.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Invite } from "../contracts/invites.ts";
import { DELETED } from "../contracts/persons.ts";
import { groupsNode } from "./actor/actors.ts";
import { command, commandBy } from "./actor/command.ts";
import type { InviteMail } from "./domain/decision.ts";
import { asMember, atLeast } from "./domain/group.ts";
import {
	acceptInvite,
	assertOpen,
	declineInvite,
	expireInvite,
	invite,
	mayInvite,
	normalizeEmail,
	revokeInvite,
} from "./domain/invites.ts";
import { inviteOf, inviteToken } from "./invites/token.ts";
import type { InviteRow } from "./store/invites.ts";
import { anyToAddresses, findInvite, findPending, inviteeOf, invitesOfGroup, openInvitesOf } from "./store/invites.ts";
import { standingOf } from "./store/standing.ts";

const tokensOf = perBroker((broker) => {
	const { SECRET_KEY, PUBLIC_URL, RATE_LIMIT_FACTOR } = settings(broker);
	const key = keyFor(SECRET_KEY, "tokens of invites");
	return {
		of: (id: string) => inviteToken(key, id),
		read: (token: string) => inviteOf(key, token),
		link: (token: string) => `${PUBLIC_URL}/invites?token=${token}`,
		/** Mails to strangers, for each who invites. */
		mails: limiterOf(broker, "invites:mails", { units: Math.max(1, Math.floor(30 * RATE_LIMIT_FACTOR)), seconds: 3600 }),
	};
});

/** An invite as somebody sees it: its token where they may answer it or give it on, its address where they may know it. */
function view(ctx: Ctx, { email, ...row }: InviteRow, { token, address }: { token: boolean; address: boolean }): Invite {
	return { ...row, ...(token && { token: tokensOf(ctx.broker).of(row.id) }), ...(email !== null && address && { email }) };
}

/** The address of the caller's account, once it is proved to be theirs. */
async function verifiedEmail(ctx: Ctx): Promise<string | null> {
	const { account } = await ctx.call("auth.me", {});
	return account.state === "active" ? normalizeEmail(account.email) : null;
}

/** The caller's own invite, or one to an address of which they have the token or which is theirs: any other does not exist. */
async function mine(ctx: Ctx, id: string | undefined, byToken: boolean): Promise<InviteRow> {
	const row = id === undefined ? undefined : await findInvite(groupsNode(ctx.broker).db, new Date(), id);
	if (!row) throw problem("not-found");
	if (row.inviteeId === ctx.caller.profileId || (row.inviteeId === null && byToken)) return row;
	if (row.inviteeId === null && row.email !== null && (await verifiedEmail(ctx)) === row.email) return row;
	throw problem("not-found");
}

/** Answered where the group's owner is: whoever asks for the group next finds the new member. */
async function answer(ctx: Ctx, by: { id: string } | { token: string }, accept: boolean): Promise<Invite> {
	const byToken = "token" in by;
	const { id, groupId } = await mine(ctx, byToken ? tokensOf(ctx.broker).read(by.token) : by.id, byToken);
	return ctx.call("invites.answer", { groupId, inviteId: id, accept, byToken }, { sameKey: true });
}

const oneOf = (field: string, message: string) => problem("validation", { errors: [{ path: field, code: "conflict", message }] });

export default service("invites", {
	node: groupsNode,

	actions: {
		async create(ctx, node) {
			const { groupId, profileId, role, language, expiresInSeconds } = ctx.params;
			const email = ctx.params.email === undefined ? undefined : normalizeEmail(ctx.params.email);
			if (profileId === undefined && email === undefined) throw oneOf("profileId", "Give a profileId or an email.");
			if (profileId !== undefined && email !== undefined) throw oneOf("email", "Give a profileId or an email, not both.");
			const me = ctx.caller.profileId;
			mayInvite(await node.read(groupId, me), me, role);
			// Nobody can be invited who is not there. Of an address nobody asks whose it is.
			if (profileId !== undefined) await ctx.call("profiles.show", { profileId });
			const spoken = email === undefined ? null : (language ?? (await ctx.call("auth.me", {})).account.language);
			const tokens = tokensOf(ctx.broker);
			if (email !== undefined) {
				const { allowed, retrySeconds } = await tokens.mails.take(me);
				if (!allowed) throw problem("rate-limited", { retryAfter: retrySeconds });
			}
			return command(node, ctx, groupId, async (state, moment) => {
				const expiresAt = new Date(Date.parse(moment.at) + (expiresInSeconds ?? settings(ctx.broker).TTL_INVITE) * 1000).toISOString();
				const [id, inviteeId] = [newId(), profileId ?? null];
				const made = { id, inviterId: me, inviteeId, email: email ?? null, role, expiresAt, createdAt: moment.at };
				const token = tokens.of(id);
				const groupName = state?.name ?? "";
				const mail: InviteMail | undefined =
					email === undefined
						? undefined
						: { to: email, language: spoken, groupName, inviterName: moment.by.displayName, link: tokens.link(token) };
				const decision = invite(state, moment, made, await inviteeOf(node.db, groupId, me, { profileId, email }), mail);
				return { ...decision, answer: () => view(ctx, { ...made, groupId, groupName, state: "pending" }, { token: true, address: true }) };
			});
		},

		async ofGroup(ctx, node) {
			const { groupId } = ctx.params;
			const viewer = ctx.caller.profileId;
			const { me } = asMember(await node.read(groupId, viewer), viewer);
			const page = await pageById(ctx.params, (before, limit) => invitesOfGroup(node.db, new Date(), groupId, before, limit));
			const seen = (row: InviteRow) => {
				const own = row.inviterId === viewer;
				return view(ctx, row, { token: own && row.state === "pending", address: own || atLeast(me.role, "moderator") });
			};
			return { ...page, data: page.data.map(seen) };
		},

		async mine(ctx, { db }) {
			const { profileId } = ctx.caller;
			// Most of the time nobody has invited an address, and whose is whose need not be asked.
			const email = (await anyToAddresses(db)) ? await verifiedEmail(ctx) : null;
			const page = await pageById(ctx.params, (before, limit) => openInvitesOf(db, new Date(), { profileId, email }, before, limit));
			return { ...page, data: page.data.map((row) => view(ctx, row, { token: true, address: true })) };
		},

		async revoke(ctx, node) {
			const { groupId, inviteId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) => {
				const row = await findInvite(node.db, new Date(moment.at), inviteId);
				return revokeInvite(state, moment, row?.groupId === groupId ? row : undefined);
			});
		},

		async expire(ctx, node) {
			const { groupId, inviteId } = ctx.params;
			return commandBy(node, ctx, DELETED, groupId, async (state, moment) =>
				expireInvite(state, moment, await findPending(node.db, groupId, inviteId)),
			);
		},

		async answer(ctx, node) {
			const { groupId, inviteId, accept, byToken } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) => {
				// Read again inside the mailbox: two answers at once meet here.
				const row = await mine(ctx, inviteId, byToken);
				assertOpen(row, moment.at);
				const { profileId } = moment.by;
				const decision = accept
					? acceptInvite(state, moment, row, await standingOf(node.db, groupId, profileId, moment.at))
					: declineInvite(state, moment, row);
				const answered = { ...row, email: null, state: accept ? ("accepted" as const) : ("declined" as const) };
				const inviteeId = accept ? profileId : row.inviteeId;
				return { ...decision, answer: () => view(ctx, { ...answered, inviteeId }, { token: false, address: false }) };
			});
		},

		accept: (ctx) => answer(ctx, { id: ctx.params.inviteId }, true),
		decline: (ctx) => answer(ctx, { id: ctx.params.inviteId }, false),
		acceptByToken: (ctx) => answer(ctx, { token: ctx.params.token }, true),
		declineByToken: (ctx) => answer(ctx, { token: ctx.params.token }, false),
	},
});
