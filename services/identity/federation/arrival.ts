// Somebody arrives from an issuer: which account is theirs, in the caller's transaction.
import { newId } from "../../../mixins/id.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import { makeAccount } from "../auth.service.ts";
import type { Claimed, Meeting, Met } from "../domain/federation.ts";
import { becomesActive, displayNameOf, meeting } from "../domain/federation.ts";
import { mailCode } from "../mail/mail-codes.ts";
import type { AccountRow } from "../store/accounts.ts";
import { holdAccount } from "../store/accounts.ts";
import { addAudit } from "../store/audit.ts";
import type { IdentityRow } from "../store/federation.ts";
import { findIdentity, isDeleted, lockSubject, saveIdentity, touchIdentity } from "../store/federation.ts";
import { findAddressee } from "../store/recovery.ts";
import { tellOwner } from "../mail/tell-owner.ts";
import { setVerified, tellVerified } from "../mail/verified.ts";

type AnyCtx = Ctx<unknown>;

export interface Arrived {
	account: AccountRow;
	/** The account was made by this arrival. */
	created: boolean;
}

/** Throws what `meeting` throws, and 401 `invalid-token` for somebody whose directory has said that they are gone. */
export async function arrive(tx: Tx, ctx: AnyCtx, provider: string, claimed: Claimed, now: Date): Promise<Arrived> {
	await lockSubject(tx, claimed);
	if (await isDeleted(tx, claimed)) throw problem("invalid-token");
	const identity = await findIdentity(tx, claimed);
	const linked = identity && (await holdAccount(tx, identity.accountId));
	const met = linked && identity && { ...linked, proven: identity.proven };
	const decide = async (): Promise<[Meeting, AccountRow | undefined]> => {
		const same = claimed.email === null ? undefined : await findAddressee(tx, { email: claimed.email });
		const held = same && (await holdAccount(tx, same.id));
		// One whose password must be changed says by its state nothing about its address.
		const unproved = held?.state === "mustChangePassword" && same?.verifiedAt === null;
		const there = held && (unproved ? { ...held, state: "unverified" as const } : held);
		return [meeting(claimed, met as (Met & { proven: boolean }) | undefined, there), held];
	};
	let [what, same] = await decide();
	if (what === "create") {
		const account = await create(tx, ctx, provider, claimed, now);
		if (account) return { account, created: true };
		// Somebody registered with this e-mail meanwhile.
		[what, same] = await decide();
	}
	if (what === "enter")
		return { account: await enter(tx, ctx, linked as AccountRow, identity as IdentityRow, claimed, now), created: false };
	await link(tx, ctx, provider, claimed, same as AccountRow, now);
	return { account: same as AccountRow, created: false };
}

async function enter(tx: Tx, ctx: AnyCtx, account: AccountRow, identity: IdentityRow, claimed: Claimed, now: Date): Promise<AccountRow> {
	const proven = claimed.emailVerified && claimed.email === account.email;
	await touchIdentity(tx, identity.id, claimed, proven, now);
	if (!becomesActive(account, claimed)) return account;
	await setVerified(tx, ctx, { id: account.id, verifiedAt: null }, account.email, now);
	return { ...account, state: "active" };
}

/** Undefined where the e-mail has an account by now. */
async function create(tx: Tx, ctx: AnyCtx, provider: string, claimed: Claimed, now: Date): Promise<AccountRow | undefined> {
	const { emailVerified, email, language } = claimed;
	const account = {
		id: newId(),
		email: email as string,
		state: emailVerified ? ("active" as const) : ("unverified" as const),
		role: "user" as const,
		bannedUntil: null,
		passwordHash: null,
		mfa: false as const,
		phone: null,
		language,
	};
	await tx.query("savepoint before_account");
	try {
		await makeAccount(tx, ctx, account, displayNameOf(claimed), now);
	} catch (error) {
		if (!isProblem(error, "email-taken")) throw error;
		await tx.query("rollback to savepoint before_account");
		return undefined;
	}
	await saveIdentity(tx, { ...claimed, id: newId(), accountId: account.id, provider, proven: emailVerified }, now);
	if (emailVerified) await tellVerified(tx, ctx, account.id);
	else await mailCode(ctx.broker, tx, "verify", account, now);
	return account;
}

/** From now on this identity is this account's, too. */
export async function link(tx: Tx, ctx: AnyCtx, provider: string, claimed: Claimed, account: AccountRow, now: Date) {
	const saved = await saveIdentity(tx, { ...claimed, id: newId(), accountId: account.id, provider, proven: true }, now);
	const detail = { provider, identityId: saved.id };
	await addAudit(tx, { actor: ctx.actor, action: "account.link", target: account.id, requestId: ctx.requestId, detail }, now);
	await tellOwner(ctx.broker, tx, account.id, "signInLinked", { provider });
	return saved;
}
