// What the services of the identity node share on one broker, and the steps that several of them take.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { newId } from "../../mixins/id.ts";
import type { Cause } from "../../mixins/facts/index.ts";
import { tellFacts } from "../../mixins/facts/index.ts";
import type { SendMail } from "../../mixins/mail/index.ts";
import { limiterOf } from "../../mixins/limits.ts";
import type { SharedLimiter } from "../../mixins/limits.ts";
import type { Db, Tx } from "../../mixins/postgres.ts";
import { perBroker } from "../../mixins/per-broker.ts";
import { database } from "../../mixins/postgres.ts";
import { cacheOf } from "../../mixins/cache.ts";
import { KEEP_KEYS, KEPT_KEYS } from "../../mixins/token/tokens.ts";
import { copyRevocations } from "../../mixins/token/revocations.ts";
import type { RevocationCopy } from "../../mixins/token/revocations.ts";
import { broadcast } from "../../mixins/signals.ts";
import { settings } from "../../mixins/settings.ts";
import { CLOCK_TOLERANCE } from "../../mixins/token/claims.ts";
import { ASK_OVERLAP_MS } from "../../mixins/token/hearing.ts";
import { problem } from "../contracts/errors.ts";
import type { Answer, Ctx, FactPayload } from "../contracts/index.ts";
import type { Account, SignedIn, Tokens } from "../contracts/identity.ts";
import { rolesOf, scopesOf } from "./domain/scopes.ts";
import { Attempts } from "./sign-in/attempts.ts";
import { Hashing } from "./sign-in/hashing.ts";
import { Issuer } from "./federation/issuer.ts";
import type { mails } from "./mail/mails.ts";
import { identityMail } from "./mail/mails.ts";
import { Signing } from "./sign-in/signing.ts";
import type { AccountRow } from "./store/accounts.ts";
import type { StoredProfile } from "./domain/profile.ts";
import { shownProfile } from "./profiles/shown.ts";
import { deletedSince, profilesOf } from "./store/profiles.ts";
import { insertRefreshToken } from "./store/refresh-tokens.ts";
import { endedSince, endSessions, insertSession } from "./store/sessions.ts";
import type { Which } from "./store/sessions.ts";
import { identityWork } from "./privacy/work.ts";

export interface IdentityNode {
	db: Db;
	signing: Signing;
	/** Register and availability together: both tell whether an address has an account. */
	enumeration: SharedLimiter;
	/** Tries to sign in that are under way. */
	attempts: Attempts;
	/** Passwords. */
	hashing: Hashing;
	/** Who else may say who somebody is, by name. */
	issuers: ReadonlyMap<string, Issuer>;
	/** Who was signed out, in Redis, for the doors; undefined where they ask. */
	copy: RevocationCopy | undefined;
	/** Plans a mail (mails.ts) in the transaction. */
	sendMail: SendMail<typeof mails>;
	/** Looks every second whether another process has changed the keys; runs from start to stop. */
	rereading?: NodeJS.Timeout;
	issuer: string;
	/** RATE_LIMIT_FACTOR. */
	factor: number;
	ttlAccess: number;
	ttlRefresh: number;
}

export const identityNode = perBroker((broker): IdentityNode => {
	const env = settings(broker);
	const db = database("identity");
	identityWork.need(broker);
	return {
		db,
		signing: new Signing(db, broker),
		// Not in the database: it slows enumeration down, and losing it gives nothing away.
		enumeration: limiterOf(broker, "enumeration", { units: Math.ceil(10 * env.RATE_LIMIT_FACTOR), seconds: 3600 }),
		attempts: new Attempts(),
		hashing: new Hashing((error) => broker.logger.warn("A thread that hashes passwords failed.", { error: String(error) })),
		issuers: new Map(Object.entries(env.providers).map(([name, provider]) => [name, new Issuer(broker, name, provider)])),
		copy: copyRevocations(broker, {
			async endedSince(since) {
				const { sessions, profiles } = await revocationsSince(db, env.TTL_ACCESS, new Date(), since);
				return [
					...sessions.map(({ sessionId, until }) => ({ id: sessionId, until })),
					...profiles.map(({ profileId, until }) => ({ id: profileId, until })),
				];
			},
			lifetime: refusedFor(env.TTL_ACCESS),
			overlap: ASK_OVERLAP_MS,
		}),
		sendMail: identityMail.on(broker),
		issuer: env.PUBLIC_URL,
		factor: env.RATE_LIMIT_FACTOR,
		ttlAccess: env.TTL_ACCESS,
		ttlRefresh: env.TTL_REFRESH,
	};
});

/** Passwords that nobody may choose; the file says where they come from. */
export const commonPasswords: ReadonlySet<string> = new Set(
	readFileSync(join(import.meta.dirname, "data", "common-passwords.txt"), "utf8")
		.split("\n")
		.filter((line) => line !== "" && !line.startsWith("# ")),
);

type AnyCtx = Ctx<unknown>;

/** How a client is told apart: what it calls itself, cut to what is stored. */
export const deviceOf = (ctx: AnyCtx): string => ctx.userAgent.slice(0, 512);

export const viewAccount = ({ id, email, state, role, mfa }: Account): Account => ({ id, email, state, role, mfa });

/** A session as its tokens show it. `authTime`: when the person last proved who they are (ISO 8601); `acr`: "2" is more than a password. */
export interface SessionStrength {
	id: string;
	authTime: string;
	acr: string;
}

/** Profiles that a token names: with more it would outgrow the headers it travels in. */
export const PROFILES_IN_TOKEN = 50;

export async function issueTokens(
	node: IdentityNode,
	account: AccountRow,
	profile: Pick<StoredProfile, "id" | "displayName" | "kind">,
	profiles: readonly Pick<StoredProfile, "id">[],
	session: SessionStrength,
	refreshToken: string,
	now: Date,
): Promise<Tokens> {
	const claims = {
		sub: account.id,
		sid: session.id,
		auth_time: Math.floor(Date.parse(session.authTime) / 1000),
		acr: session.acr,
		name: profile.displayName,
		profile: profile.id,
		profiles: profiles.map(({ id }) => id),
		roles: rolesOf(account, profile),
		scope: scopesOf(account, profile).join(" "),
	};
	const { accessToken, expiresIn } = await node.signing.sign(claims, now);
	return { accessToken, refreshToken, tokenType: "Bearer", expiresIn };
}

/** How somebody came in: `acr` "2" with a second factor, or something that is as good. */
export interface Entrance {
	acr?: "1" | "2";
}

/**
 * Opens a session for the account's first profile, in the caller's transaction. Throws 403 `mfa-required` for an account with a
 * second factor that was not asked for: `enter` (second-step.ts) asks for it.
 */
export async function openSession(
	node: IdentityNode,
	tx: Tx,
	ctx: AnyCtx,
	account: AccountRow,
	now: Date,
	{ acr = "1" }: Entrance = {},
): Promise<SignedIn> {
	if (account.mfa && acr !== "2") throw problem("mfa-required");
	const profiles = await profilesOf(tx, account.id, null, PROFILES_IN_TOKEN);
	const [profile] = profiles;
	if (!profile) throw new Error(`Account ${account.id} has no profile.`);
	const session = {
		id: newId(),
		accountId: account.id,
		profileId: profile.id,
		device: deviceOf(ctx),
		address: ctx.address,
		expiresAt: new Date(now.getTime() + node.ttlRefresh * 1000),
		authTime: now.toISOString(),
		acr,
	};
	const refreshToken = node.signing.newRefreshToken();
	insertSession(tx, session, now);
	insertRefreshToken(tx, session.id, refreshToken, now);
	return {
		account: viewAccount(account),
		profile: shownProfile(ctx.broker, profile),
		tokens: await issueTokens(node, account, profile, profiles, session, refreshToken, now),
	};
}

export type RevocationReason = FactPayload<"identity.session.revoked">["reason"];

/** Whose doing it is: a call, or a job on somebody's behalf. */
export type Doing = Pick<AnyCtx, "broker"> & Cause;

/** So long (ms) a door must refuse tokens of a session that ended: until all of them have expired. */
const refusedFor = (ttlAccess: number): number => (ttlAccess + 2 * CLOCK_TOLERANCE) * 1000;
const refusedUntil = (ttlAccess: number, endedAt: number): string => new Date(endedAt + refusedFor(ttlAccess)).toISOString();

/** What doors must still refuse, of the sessions and profiles that ended since (ms since 1970; NaN or undefined for all). */
export async function revocationsSince(db: Db, ttlAccess: number, now: Date, since = Number.NaN): Promise<Revocations> {
	const oldest = now.getTime() - refusedFor(ttlAccess);
	const from = new Date(since > oldest ? since : oldest);
	const [ended, deleted] = await Promise.all([endedSince(db, from), deletedSince(db, from)]);
	return {
		sessions: ended.map(({ sessionId, endedAt }) => ({ sessionId, until: refusedUntil(ttlAccess, Date.parse(endedAt)) })),
		profiles: deleted.map(({ profileId, deletedAt }) => ({ profileId, until: refusedUntil(ttlAccess, Date.parse(deletedAt)) })),
	};
}
type Revocations = Omit<Answer<"identity.revocations">, "at">;

/** Tokens of a profile that was deleted: doors hear of it right after the commit. */
export function revokeProfile(node: IdentityNode, tx: Tx, ctx: AnyCtx, profileId: string, now: Date): void {
	const until = refusedUntil(node.ttlAccess, now.getTime());
	tx.afterCommit(() => {
		node.copy?.add([{ id: profileId, until }]);
		broadcast(ctx.broker, "identity.profile.revoked", { profileId, until }).catch(() => {});
	});
}

/** Ends sessions: the fact is written with it, and after the commit the doors hear of it at once. */
export async function revokeSessions(
	node: IdentityNode,
	tx: Tx,
	ctx: Doing,
	which: Which,
	reason: RevocationReason,
	now: Date,
): Promise<void> {
	const ended = await endSessions(tx, which, reason, now);
	const until = refusedUntil(node.ttlAccess, now.getTime());
	await tellFacts(
		tx,
		ctx,
		ended.map(({ sessionId, accountId }) => ({
			type: "identity.session.revoked",
			aggregate: accountId,
			payload: { accountId, sessionId, reason, until },
		})),
	);
	tellDoors(
		node,
		tx,
		ctx.broker,
		ended.map(({ sessionId }) => sessionId),
		now,
	);
}

/** The doors, and whoever else signs, read the keys anew. They are kept for doors that start while nobody can be asked, too. */
export async function keysChanged(broker: ServiceBroker): Promise<void> {
	const { signing } = identityNode(broker);
	await cacheOf(broker).set(KEPT_KEYS, { keys: await signing.publicKeys() }, KEEP_KEYS);
	await broadcast(broker, "identity.keys.changed", {}).catch(() => {});
}

/** After the commit the doors refuse these: sessions, or keys by their `keyName`. */
export function tellDoors(node: IdentityNode, tx: Tx, broker: ServiceBroker, ended: readonly string[], now: Date): void {
	const until = refusedUntil(node.ttlAccess, now.getTime());
	tx.afterCommit(() => {
		// A signal that is lost is no harm: the doors also read and ask.
		node.copy?.add(ended.map((id) => ({ id, until })));
		for (const sessionId of ended) broadcast(broker, "identity.session.revoked", { sessionId, until }).catch(() => {});
	});
}
