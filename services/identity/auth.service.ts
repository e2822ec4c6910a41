// Signing up, in and out; tokens and their rotation; what operators do with accounts.
import { randomBytes } from "node:crypto";
import type { Tx } from "../../mixins/node.ts";
import { newId, once, onceAfter, service, tellFacts } from "../../mixins/node.ts";
import { limitKey } from "../../mixins/address.ts";
import { AUDIENCE } from "../../mixins/token/claims.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Account } from "../contracts/identity.ts";
import { acceptEmail, acceptPassword, normalizeEmail } from "./domain/login.ts";
import { stateOf } from "./domain/terms.ts";
import { mailCode } from "./mail/mail-codes.ts";
import type { IdentityNode } from "./node.ts";
import { commonPasswords, identityNode, openSession, PROFILES_IN_TOKEN, revokeSessions, viewAccount } from "./node.ts";
import { grant } from "./clients/oauth.ts";
import { refresh } from "./sign-in/refresh.ts";
import { enter } from "./sign-in/second-step.ts";
import { signIn } from "./sign-in/sign-in.ts";
import type { NewAccount } from "./store/accounts.ts";
import { findAccount, insertAccount, isEmailTaken } from "./store/accounts.ts";
import { addAudit } from "./store/audit.ts";
import { shownProfile } from "./profiles/shown.ts";
import { insertProfile, profilesOf } from "./store/profiles.ts";
import { settingsOf } from "./store/recovery.ts";
import { versionsFor } from "./store/terms.ts";
import { changeUser, giveRole, operator } from "./users/users.ts";

type AnyCtx = Ctx<unknown>;

/** Register and availability tell whether an address has an account: both together are strictly limited. */
export async function limitEnumeration(node: IdentityNode, ctx: AnyCtx): Promise<void> {
	const { allowed, retrySeconds } = await node.enumeration.take(limitKey(ctx.address));
	if (!allowed) throw problem("rate-limited", { retryAfter: retrySeconds });
}

/** An account with its first profile, and the fact of it. */
export async function makeAccount(tx: Tx, ctx: AnyCtx, account: NewAccount, displayName: string, now: Date): Promise<void> {
	const profile = { id: newId(), displayName, kind: "consumer" as const };
	try {
		await insertAccount(tx, account, now);
	} catch (error) {
		throw isEmailTaken(error) ? problem("email-taken") : error;
	}
	await insertProfile(tx, account.id, profile, now);
	const ids = { accountId: account.id, profileId: profile.id };
	await tellFacts(tx, { requestId: ctx.requestId, actor: profile.id }, [
		{
			type: "identity.account.registered",
			aggregate: account.id,
			payload: { ...ids, displayName, kind: profile.kind, language: account.language },
		},
		{ type: "identity.profile.created", aggregate: account.id, payload: { ...ids, displayName, kind: profile.kind } },
	]);
}

export default service("auth", {
	node: identityNode,

	actions: {
		async register(ctx, node) {
			const { password, displayName, phone, language } = ctx.params;
			const email = acceptEmail(ctx.params.email);
			acceptPassword(password, commonPasswords);
			await limitEnumeration(node, ctx);
			const hash = async () => {
				if (await findAccount(node.db, { email })) throw problem("email-taken");
				return node.hashing.hash(password);
			};
			return onceAfter(ctx, node.db, hash, async (tx, passwordHash) => {
				const now = new Date();
				const role = { state: "unverified", role: "user", bannedUntil: null } as const;
				const account = {
					id: newId(),
					email,
					...role,
					passwordHash,
					phone: phone ?? null,
					language: language ?? null,
					mfa: false as const,
				};
				await makeAccount(tx, ctx, account, displayName, now);
				await mailCode(ctx.broker, tx, "verify", account, now);
				return openSession(node, tx, ctx, account, now);
			});
		},

		login: (ctx, node) => signIn(node, ctx, ctx.params, enter),

		token: (ctx, node) => grant(node, ctx, ctx.params),

		async refresh(ctx, node) {
			return { tokens: await refresh(node, ctx, ctx.params.refreshToken) };
		},

		async logout(ctx, node) {
			const { accountId, sessionId } = ctx.caller;
			return once(ctx, node.db, async (tx) => {
				await revokeSessions(node, tx, ctx, ctx.params.all ? { accountId } : { sessionId }, "logout", new Date());
				return {};
			});
		},

		async me(ctx, { db }) {
			const { accountId, profileId } = ctx.caller;
			const [account, stored] = [await findAccount(db, { id: accountId }), await profilesOf(db, accountId)];
			const profiles = stored.map((profile) => shownProfile(ctx.broker, profile));
			const profile = profiles.find(({ id }) => id === profileId);
			if (!account || !profile) throw problem("not-found");
			const own = { ...viewAccount(account), ...(await settingsOf(db, accountId)) };
			return { account: own, profile, profiles, tos: stateOf(await versionsFor(db, accountId)) };
		},

		async validate(ctx, { db, issuer, ttlAccess }) {
			const { accountId, sessionId, profileId, displayName, roles, scopes, token, authTime, acr } = ctx.caller;
			const profiles = await profilesOf(db, accountId, null, PROFILES_IN_TOKEN);
			const times = token && { iat: token.iat, exp: token.iat + ttlAccess, jti: token.jti };
			return {
				iss: issuer,
				aud: AUDIENCE,
				...times,
				sub: accountId,
				sid: sessionId,
				name: displayName,
				profile: profileId,
				profiles: profiles.map(({ id }) => id),
				roles: [...roles],
				scope: scopes.join(" "),
				...(authTime === undefined ? {} : { auth_time: authTime, acr }),
			};
		},

		async availability(ctx, node) {
			await limitEnumeration(node, ctx);
			return { available: (await findAccount(node.db, { email: acceptEmail(ctx.params.email) })) === undefined };
		},

		async create(ctx, { db, hashing }) {
			const email = acceptEmail(ctx.params.email);
			const password = ctx.params.password ?? randomBytes(15).toString("base64url");
			acceptPassword(password, commonPasswords);
			const account: NewAccount = {
				id: newId(),
				email,
				state: "active",
				role: ctx.params.role,
				passwordHash: await hashing.hash(password),
				phone: null,
				language: null,
				mfa: false,
			};
			const displayName = ctx.params.displayName ?? [...(email.split("@")[0] as string)].slice(0, 60).join("");
			return db.tx(async (tx) => {
				const now = new Date();
				await makeAccount(tx, ctx, account, displayName, now);
				await addAudit(
					tx,
					{ actor: null, action: "account.create", target: account.id, requestId: ctx.requestId, after: { role: account.role } },
					now,
				);
				return { id: account.id, email, password };
			});
		},

		async setRole(ctx, node): Promise<Account> {
			const { role } = ctx.params;
			const account = await findAccount(node.db, { email: normalizeEmail(ctx.params.email) });
			if (!account) throw problem("not-found", { detail: "There is no account with this e-mail." });
			await node.db.tx((tx) => changeUser(node, tx, operator(ctx), account.id, giveRole(role)));
			return viewAccount({ ...account, role });
		},
	},
});
