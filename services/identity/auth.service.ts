// Signing up, in and out; tokens and their rotation; what operators do with accounts.
import { randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { tellFacts } from "../../mixins/facts/index.ts";
import { once } from "../../mixins/idempotency.ts";
import { defineService, implement } from "../../mixins/node.ts";
import type { Tx } from "../../mixins/postgres.ts";
import { isProblem, problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Account, SignedIn, Tokens } from "../contracts/identity.ts";
import { acceptPassword, maySignIn, normalizeEmail, THROTTLES, throttled } from "./domain/login.ts";
import { rotation } from "./domain/rotation.ts";
import { hashPassword, verifyPassword } from "./hashing.ts";
import type { IdentityNode } from "./node.ts";
import { commonPasswords, deviceOf, identityNode, issueTokens, openSession, revokeSessions, viewAccount } from "./node.ts";
import type { AccountRow, NewAccount } from "./store.ts";
import {
	addAudit,
	addFailure,
	failuresOf,
	findAccount,
	findProfile,
	forgetFailures,
	insertAccount,
	insertProfile,
	isEmailTaken,
	lockRefreshToken,
	profilesOf,
	rotateRefreshToken,
	updateRole,
} from "./store.ts";

type AnyCtx = Ctx<unknown>;

/** Register and availability tell whether an address has an account: both together are strictly limited. */
function limitEnumeration(node: IdentityNode, ctx: AnyCtx): void {
	const { allowed, retrySeconds } = node.enumeration.take(ctx.address);
	if (!allowed) throw problem("rate-limited", { retryAfter: retrySeconds });
}

/** An account with its first profile, and the fact of it. */
async function makeAccount(tx: Tx, ctx: AnyCtx, account: NewAccount, displayName: string, now: Date): Promise<void> {
	const profile = { id: uuidv7(), displayName, kind: "consumer" as const };
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

/** The account whose password this is. Unknown, trashed and wrong are one answer, at one price; guessing is throttled. */
async function authenticate(node: IdentityNode, ctx: AnyCtx, given: { email: string; password: string }): Promise<AccountRow> {
	const email = normalizeEmail(given.email);
	const now = new Date();
	const limits = {
		account: Math.max(1, Math.floor(THROTTLES.account * node.factor)),
		address: Math.max(1, Math.floor(THROTTLES.address * node.factor)),
	};
	const wait = throttled(await failuresOf(node.db, email, ctx.address, limits, now), node.factor, now);
	if (wait > 0) throw problem("rate-limited", { retryAfter: wait });
	const account = await findAccount(node.db, { email });
	const right = await verifyPassword(given.password, account?.passwordHash);
	if (!account || !right) {
		await addFailure(node.db, email, ctx.address, new Date());
		throw problem("invalid-credentials");
	}
	maySignIn(account);
	await forgetFailures(node.db, email, ctx.address);
	return account;
}

async function signIn(node: IdentityNode, ctx: AnyCtx, given: { email: string; password: string }): Promise<SignedIn> {
	// Before the transaction: hashing takes its time, and must not hold a connection meanwhile.
	const account = await authenticate(node, ctx, given);
	return once(ctx, node.db, (tx) => openSession(node, tx, ctx, account, new Date()));
}

/** Uses a refresh token: the next tokens, or the end of the session when two parties have it. */
async function refresh(node: IdentityNode, ctx: AnyCtx, token: string): Promise<Tokens> {
	const now = new Date();
	const tokens = await once(ctx, node.db, async (tx) => {
		const row = await lockRefreshToken(tx, token);
		if (!row) return null;
		switch (rotation({ ...row, askingDevice: deviceOf(ctx) }, now)) {
			case "refuse":
				return null;
			case "reuse":
				await revokeSessions(node, tx, ctx, { sessionId: row.sessionId }, "reuse", now);
				await addAudit(
					tx,
					{
						actor: row.profileId,
						action: "session.reuse",
						target: row.sessionId,
						requestId: ctx.requestId,
						detail: { address: ctx.address, device: deviceOf(ctx) },
					},
					now,
				);
				// Answered, not thrown: a throw would undo the revocation.
				return null;
			case "rotate":
				await rotateRefreshToken(tx, row.sessionId, token, node.signing.successorOf(token), ctx.address, now);
				break;
			case "repeat":
				break;
		}
		const [account, profile, profiles] = [
			await findAccount(tx, { id: row.accountId }),
			await findProfile(tx, row.profileId),
			await profilesOf(tx, row.accountId),
		];
		if (!account || !profile) return null;
		maySignIn(account);
		return issueTokens(node, account, profile, profiles, row.sessionId, node.signing.successorOf(token), now);
	});
	if (!tokens) throw problem("invalid-token");
	return tokens;
}

/** RFC 6749, 5.2: the body of a refusal; the door sends it as it is. */
const oauth = (code: "malformed" | "invalid-token", error: string, description: string) =>
	problem(code, { oauth: { error, error_description: description } });

export default defineService({
	name: "auth",

	actions: implement("auth", {
		async register(ctx) {
			const node = identityNode(ctx.broker);
			const { password, displayName, phone, language } = ctx.params;
			const email = normalizeEmail(ctx.params.email);
			limitEnumeration(node, ctx);
			acceptPassword(password, commonPasswords);
			if (await findAccount(node.db, { email })) throw problem("email-taken");
			const passwordHash = await hashPassword(password);
			const account: NewAccount = {
				id: uuidv7(),
				email,
				state: "unverified",
				role: "user",
				passwordHash,
				phone: phone ?? null,
				language: language ?? null,
			};
			return once(ctx, node.db, async (tx) => {
				const now = new Date();
				await makeAccount(tx, ctx, account, displayName, now);
				return openSession(node, tx, ctx, { ...account, bannedUntil: null }, now);
			});
		},

		login: (ctx) => signIn(identityNode(ctx.broker), ctx, ctx.params),

		async token(ctx) {
			const node = identityNode(ctx.broker);
			const { grant_type, username, password, refresh_token, scope } = ctx.params;
			if (scope !== undefined && scope !== "")
				throw oauth("malformed", "invalid_scope", "Scopes cannot be chosen: they follow from the account's role.");
			const answer = (tokens: Tokens, scopes: string) => ({
				access_token: tokens.accessToken,
				refresh_token: tokens.refreshToken,
				token_type: "Bearer" as const,
				expires_in: tokens.expiresIn,
				scope: scopes,
			});
			const scopeOf = (tokens: Tokens) =>
				(JSON.parse(Buffer.from(tokens.accessToken.split(".")[1] ?? "", "base64url").toString("utf8")) as { scope: string }).scope;
			try {
				switch (grant_type) {
					case undefined:
						throw oauth("malformed", "invalid_request", "grant_type is missing.");
					case "password": {
						if (!username || !password) throw oauth("malformed", "invalid_request", "username and password are needed.");
						const { tokens } = await signIn(node, ctx, { email: username, password });
						return answer(tokens, scopeOf(tokens));
					}
					case "refresh_token": {
						if (!refresh_token) throw oauth("malformed", "invalid_request", "refresh_token is missing.");
						const tokens = await refresh(node, ctx, refresh_token);
						return answer(tokens, scopeOf(tokens));
					}
					case "client_credentials":
						throw oauth("invalid-token", "invalid_client", "There is no such client.");
					default:
						throw oauth("malformed", "unsupported_grant_type", "grant_type must be password or refresh_token.");
				}
			} catch (error) {
				if (isProblem(error, "invalid-credentials")) throw oauth("malformed", "invalid_grant", "The e-mail or the password is wrong.");
				if (isProblem(error, "invalid-token") && !error.data.oauth)
					throw oauth("malformed", "invalid_grant", "The refresh token is unknown, used up or expired.");
				if (isProblem(error, "banned")) throw oauth("malformed", "invalid_grant", "The account is banned.");
				throw error;
			}
		},

		async refresh(ctx) {
			return { tokens: await refresh(identityNode(ctx.broker), ctx, ctx.params.refreshToken) };
		},

		async logout(ctx) {
			const node = identityNode(ctx.broker);
			const { accountId, sessionId } = ctx.caller;
			return once(ctx, node.db, async (tx) => {
				await revokeSessions(node, tx, ctx, ctx.params.all ? { accountId } : { sessionId }, "logout", new Date());
				return {};
			});
		},

		async me(ctx) {
			const { db } = identityNode(ctx.broker);
			const { accountId, profileId } = ctx.caller;
			const [account, profiles] = [await findAccount(db, { id: accountId }), await profilesOf(db, accountId)];
			const profile = profiles.find(({ id }) => id === profileId);
			if (!account || !profile) throw problem("not-found");
			return { account: viewAccount(account), profile, profiles };
		},

		async validate(ctx) {
			const { accountId, sessionId, profileId, displayName, roles, scopes } = ctx.caller;
			return {
				active: true,
				sub: accountId,
				sid: sessionId,
				profile: profileId,
				name: displayName,
				roles: [...roles],
				scope: scopes.join(" "),
			};
		},

		async availability(ctx) {
			const node = identityNode(ctx.broker);
			limitEnumeration(node, ctx);
			return { available: (await findAccount(node.db, { email: normalizeEmail(ctx.params.email) })) === undefined };
		},

		async create(ctx) {
			const { db } = identityNode(ctx.broker);
			const email = normalizeEmail(ctx.params.email);
			const password = ctx.params.password ?? randomBytes(15).toString("base64url");
			acceptPassword(password, commonPasswords);
			const account: NewAccount = {
				id: uuidv7(),
				email,
				state: "active",
				role: ctx.params.role,
				passwordHash: await hashPassword(password),
				phone: null,
				language: null,
			};
			const displayName = ctx.params.displayName ?? (email.split("@")[0] as string).slice(0, 60);
			return db.tx(async (tx) => {
				const now = new Date();
				await makeAccount(tx, ctx, account, displayName, now);
				await addAudit(
					tx,
					{ actor: null, action: "account.create", target: account.id, requestId: ctx.requestId, detail: { role: account.role } },
					now,
				);
				return { id: account.id, email, password };
			});
		},

		async setRole(ctx): Promise<Account> {
			const node = identityNode(ctx.broker);
			const { role } = ctx.params;
			const account = await findAccount(node.db, { email: normalizeEmail(ctx.params.email) });
			if (!account) throw problem("not-found", { detail: "There is no account with this e-mail." });
			return node.db.tx(async (tx) => {
				const now = new Date();
				await updateRole(tx, account.id, role, now);
				await addAudit(
					tx,
					{
						actor: null,
						action: "account.role",
						target: account.id,
						requestId: ctx.requestId,
						detail: { before: account.role, after: role },
					},
					now,
				);
				// A token carries the role it was made with: the old ones end, on open sockets too.
				await revokeSessions(node, tx, ctx, { accountId: account.id }, "role", now);
				return viewAccount({ ...account, role });
			});
		},
	}),
});
