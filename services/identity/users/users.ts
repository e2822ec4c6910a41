// What is done to accounts by those who look after them: each change in one transaction with its audit entry, its facts, and the
// end of the sessions whose tokens would say something else.
import type { Queryable, Tx } from "../../../mixins/node.ts";
import { tellFacts } from "../../../mixins/node.ts";
import { problem } from "../../contracts/errors.ts";
import type { Profile } from "../../contracts/identity.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { AccountRole } from "../../contracts/scopes.ts";
import { scopesOfRole } from "../../contracts/scopes.ts";
import type { AdminUser } from "../../contracts/users.ts";
import { acceptEmail } from "../domain/login.ts";
import { PURPOSES } from "../domain/mail-codes.ts";
import { banIsOver, banned, erasable, freed, restored, standingNow, toChangePassword, trashed } from "../domain/standing.ts";
import { mayGive, outranks } from "../domain/scopes.ts";
import { eraseAccount } from "../privacy/erase.ts";
import { identityJobs } from "../jobs.ts";
import type { Doing, IdentityNode, RevocationReason } from "../node.ts";
import { revokeSessions } from "../node.ts";
import type { Receiver } from "../mail/mail-codes.ts";
import { mailCode } from "../mail/mail-codes.ts";
import { saveProfile } from "../profiles/save-profile.ts";
import { findAccount, isEmailTaken, updateRole } from "../store/accounts.ts";
import { addAudit } from "../store/audit.ts";
import { endCodes } from "../store/mail-codes.ts";
import { profilesOf } from "../store/profiles.ts";
import { findAddressee } from "../store/recovery.ts";
import { ownsSession } from "../store/sessions.ts";
import type { UserRow } from "../store/users.ts";
import { findUser, lockUser, otherAdmins, profilesOfAll, saveContact, savePassword, saveStanding } from "../store/users.ts";
import { tellOwner } from "../mail/tell-owner.ts";
import { tellSettings } from "../mail/settings.ts";

/** Who does it, and on whose call. `by` null: an operator, who may do everything. */
export interface Doer extends Doing {
	by: { accountId: string; scopes: readonly string[] } | null;
}

type AnyCtx = Ctx<unknown>;

/** Whoever calls, with what their token carries. */
export const doerOf = ({ requestId, actor, broker, caller: { accountId, scopes } }: AnyCtx): Doer => ({
	requestId,
	actor,
	broker,
	by: { accountId, scopes },
});
/** Whoever sits at the console. */
export const operator = ({ requestId, broker }: AnyCtx): Doer => ({ requestId, actor: null, broker, by: null });

/** An account that is about to be changed. */
export interface Subject {
	node: IdentityNode;
	tx: Tx;
	doer: Doer;
	now: Date;
	/** As it stands, locked. */
	user: UserRow;
	/** What the doer carries; null: everything. */
	scopes: readonly string[] | null;
}

/** A change of an account: throws where it is refused; answers what else the caller wants to know. */
export type Change<T = void> = (subject: Subject) => Promise<T>;

const never = (detail: string) => problem("rank", { detail });

/** What the doer carries at this very moment: a role that was taken away since counts no more. */
async function scopesNow(tx: Tx, { accountId, scopes }: NonNullable<Doer["by"]>, now: Date): Promise<readonly string[]> {
	const account = await findAccount(tx, { id: accountId }, now);
	// A service that was given a token of its own has no account.
	if (!account) return scopes;
	const mayAct = account.state === "active" || account.state === "unverified";
	return mayAct ? scopes.filter((scope) => (scopesOfRole[account.role] as readonly string[]).includes(scope)) : [];
}

/** Does something to an account below the doer's own. Throws 404 `not-found`, 403 `rank`, and what the change throws. */
export async function changeUser<T>(node: IdentityNode, tx: Tx, doer: Doer, userId: string, change: Change<T>): Promise<T> {
	const now = new Date();
	const row = await lockUser(tx, userId);
	if (!row) throw problem("not-found");
	const scopes = doer.by && (await scopesNow(tx, doer.by, now));
	if (doer.by?.accountId === userId) throw never("Nobody does this to their own account.");
	if (scopes && !outranks(scopes, row.role)) throw never("This account's role is not below yours.");
	return change({ node, tx, doer, now, user: standingNow(row, now), scopes });
}

/**
 * Throws 409 `last-admin` where nobody would be left who administers: called before an admin goes, by whoever lets them. An operator
 * may: a new one is made in the same place.
 */
export async function keepAnAdmin(tx: Tx, user: { id: string; role: AccountRole }, by: Doer["by"]): Promise<void> {
	if (by && user.role === "admin" && (await otherAdmins(tx, user.id)) === 0)
		throw problem("last-admin", { detail: "This is the last account that administers: make another one an admin first." });
}

type Said = Record<string, unknown>;

const note = ({ tx, doer, user, now }: Subject, action: string, before?: Said, after?: Said, personal?: { before?: Said; after?: Said }) =>
	addAudit(tx, { actor: doer.by?.accountId ?? null, action, target: user.id, requestId: doer.requestId, before, after, personal }, now);

/** Of whom a fact speaks. */
async function whose({ tx, user }: Subject) {
	return { accountId: user.id, profileIds: (await profilesOfAll(tx, [user.id])).map(({ id }) => id) };
}

const endSessions = ({ node, tx, doer, user, now }: Subject, reason: RevocationReason) =>
	revokeSessions(node, tx, doer, { accountId: user.id }, reason, now);

const banSaid = ({ state, bannedUntil }: UserRow): Said => (state === "banned" ? { state, until: bannedUntil } : { state });
/** Free words about somebody: they go with them. */
const reasonSaid = ({ state, banReason }: UserRow): Said => (state === "banned" ? { reason: banReason } : {});
const noteBan = (subject: Subject, action: string, to: UserRow) =>
	note(subject, action, banSaid(subject.user), banSaid(to), { before: reasonSaid(subject.user), after: reasonSaid(to) });

const tellBan = ({ tx, doer: { broker }, user }: Subject, reason: string, until: string | null): Promise<void> =>
	until === null
		? tellOwner(broker, tx, user.id, "banned", { reason })
		: tellOwner(broker, tx, user.id, "bannedUntil", { reason, until: `${until.slice(0, 16).replace("T", " ")} UTC` });

export const ban =
	(given: { reason: string; until?: string | null | undefined }): Change =>
	async (subject) => {
		const { tx, user, now, doer } = subject;
		const until = given.until ? new Date(given.until).toISOString() : null;
		const to = banned(user, { reason: given.reason, until, by: doer.by?.accountId ?? null }, now);
		await keepAnAdmin(tx, user, doer.by);
		await saveStanding(tx, user.id, to, now);
		if (until) await identityJobs.plan(tx, "endBan", { accountId: user.id }, { at: new Date(until), key: user.id });
		else await identityJobs.cancel(tx, "endBan", user.id);
		await noteBan(subject, "account.ban", to);
		await tellBan(subject, given.reason, until);
		await endSessions(subject, "banned");
		await tellFacts(tx, doer, [{ type: "identity.account.banned", aggregate: user.id, payload: { ...(await whose(subject)), until } }]);
	};

export const unban: Change = async (subject) => {
	const { tx, user, now, doer } = subject;
	const to = freed(user);
	await saveStanding(tx, user.id, to, now);
	await identityJobs.cancel(tx, "endBan", user.id);
	await noteBan(subject, "account.unban", to);
	await tellOwner(doer.broker, tx, user.id, "unbanned", {});
	await tellFacts(tx, doer, [{ type: "identity.account.unbanned", aggregate: user.id, payload: await whose(subject) }]);
};

export const trash: Change = async (subject) => {
	const { tx, user, now, doer } = subject;
	const to = trashed(user);
	await keepAnAdmin(tx, user, doer.by);
	await saveStanding(tx, user.id, to, now);
	await note(subject, "account.trash", { state: user.state }, { state: to.state });
	await endSessions(subject, "trashed");
	await tellFacts(tx, doer, [{ type: "identity.account.trashed", aggregate: user.id, payload: await whose(subject) }]);
};

export const restore: Change = async (subject) => {
	const { tx, user, now, doer } = subject;
	const to = restored(user, now);
	await saveStanding(tx, user.id, to, now);
	await note(subject, "account.restore", { state: user.state }, { state: to.state });
	await tellFacts(tx, doer, [{ type: "identity.account.restored", aggregate: user.id, payload: await whose(subject) }]);
};

/** Answers the work that ends when every node has forgotten the person. */
export const purge: Change<string> = async (subject) => {
	const { tx, user, doer } = subject;
	erasable(user);
	await keepAnAdmin(tx, user, doer.by);
	await identityJobs.cancel(tx, "endBan", user.id);
	await note(subject, "account.purge", { state: user.state }, { state: "purged" });
	return (await eraseAccount(tx, doer, user.id, doer.by?.accountId)).id;
};

/** @param passwordHash of a new password, in the place of the old one */
export const resetPassword =
	(passwordHash?: string): Change =>
	async (subject) => {
		const { tx, user, now, doer } = subject;
		const to = toChangePassword(user);
		await saveStanding(tx, user.id, to, now);
		if (passwordHash !== undefined) await savePassword(tx, user.id, passwordHash, now);
		await note(subject, "account.resetPassword", { state: user.state }, { state: to.state, temporary: passwordHash !== undefined });
		const account = await findAddressee(tx, { id: user.id });
		if (account?.verifiedAt) await mailCode(doer.broker, tx, "reset", account, now, { template: "passwordRequired" });
		await endSessions(subject, "password");
	};

/** Throws 403 `rank` for a role that carries more than the doer has. */
export const giveRole =
	(role: AccountRole): Change =>
	async (subject) => {
		const { tx, user, now, doer } = subject;
		if (subject.scopes && !mayGive(subject.scopes, role)) throw never("This role carries more than you have.");
		erasable(user);
		if (role !== "admin") await keepAnAdmin(tx, user, doer.by);
		await updateRole(tx, user.id, role, now);
		await note(subject, "account.role", { role: user.role }, { role });
		// A token carries the role it was made with: the old ones end, on open sockets too.
		await endSessions(subject, "role");
		await tellFacts(tx, doer, [{ type: "identity.account.roleChanged", aggregate: user.id, payload: { ...(await whose(subject)), role } }]);
	};

interface GivenContact {
	email?: string | undefined;
	phone?: string | null | undefined;
	language?: string | null | undefined;
	displayName?: string | undefined;
}

/** The mail and the telephone are the person's: the audit says what they were for as long as there is one. So is the name of a profile. */
export const changeContact =
	({ displayName, ...given }: GivenContact): Change =>
	async (subject) => {
		const { tx, user, now } = subject;
		erasable(user);
		const email = given.email === undefined ? user.email : acceptEmail(given.email);
		const moved = email !== user.email;
		const { phone = user.phone, language = user.language } = given;
		// To the old address, as long as it is the account's.
		if (moved) await tellOwner(subject.doer.broker, tx, user.id, "emailChanged", { email });
		const to = { email, phone, language };
		const state = await tellSettings(tx, subject.doer, user.id, () => saveContact(tx, user.id, to, now)).catch((error: unknown) => {
			throw isEmailTaken(error) ? problem("email-taken") : error;
		});
		if (moved) await proveAnew(subject, { id: user.id, email, language });
		const name = displayName === undefined ? undefined : await rename(subject, displayName);
		const { email: oldEmail, phone: oldPhone } = user;
		await note(
			subject,
			"account.change",
			{ state: user.state, language: user.language },
			{ state, language },
			{
				before: { email: oldEmail, phone: oldPhone, ...(name && { displayName: name.before }) },
				after: { email, phone, ...(name && { displayName: name.after }) },
			},
		);
	};

/** Nobody has shown yet that the new address is theirs; and what was mailed to the old one is good for nothing. */
async function proveAnew({ tx, doer, user, now }: Subject, to: Receiver): Promise<void> {
	await endCodes(tx, user.id, PURPOSES, now);
	await mailCode(doer.broker, tx, "verify", to, now);
}

/** The account's first face. */
async function rename({ tx, doer, user, now }: Subject, displayName: string): Promise<{ before: string; after: string } | undefined> {
	const [oldest] = await profilesOf(tx, user.id, null, 1);
	if (!oldest) return undefined;
	if (oldest.displayName !== displayName) await saveProfile(tx, doer, user.id, { ...oldest, displayName }, now);
	return { before: oldest.displayName, after: displayName };
}

/** Ends sessions: all, or one; throws 404 for one that is not open, or somebody else's. */
export const endSessionsOf =
	(sessionId?: string): Change =>
	async (subject) => {
		const { node, tx, user, doer, now } = subject;
		if (sessionId !== undefined && !(await ownsSession(tx, user.id, sessionId))) throw problem("not-found");
		await note(subject, "account.endSessions", undefined, sessionId === undefined ? { all: true } : { sessionId });
		await revokeSessions(node, tx, doer, sessionId === undefined ? { accountId: user.id } : { sessionId }, "ended", now);
	};

/** Of the job: ends a ban whose time is over; one that was lifted or made longer since is left. */
export async function endBan(node: IdentityNode, doing: Doing, accountId: string): Promise<void> {
	await node.db.tx(async (tx) => {
		const now = new Date();
		const row = await lockUser(tx, accountId);
		if (!row || !banIsOver(row, now)) return;
		await unban({ node, tx, doer: { ...doing, by: null }, now, user: row, scopes: null });
	});
}

/** What one is shown of accounts. */
export async function viewUsers(db: Queryable, rows: readonly UserRow[], now: Date): Promise<AdminUser[]> {
	const profiles = Map.groupBy(
		await profilesOfAll(
			db,
			rows.map(({ id }) => id),
		),
		({ accountId }) => accountId,
	);
	return rows.map((row) => view(standingNow(row, now), profiles.get(row.id) ?? []));
}

function view(user: UserRow, profiles: readonly (Profile & { accountId: string })[]): AdminUser {
	const { id, email, state, role, phone, language, createdAt, updatedAt } = user;
	const { banReason: reason, bannedUntil: until, bannedAt: at, bannedBy: by } = user;
	return {
		id,
		email: state === "purged" ? null : email,
		state,
		role,
		phone,
		language,
		createdAt,
		updatedAt,
		profiles: profiles.map(({ accountId: _owner, ...profile }) => profile),
		...(state === "banned" && { ban: { reason, until, at, by } }),
	};
}

/** Throws 404 `not-found`. */
export async function showUser(db: Queryable, userId: string): Promise<AdminUser> {
	const row = await findUser(db, { id: userId });
	const [shown] = row ? await viewUsers(db, [row], new Date()) : [];
	if (!shown) throw problem("not-found");
	return shown;
}
