// Clerk's webhook: what its user directory tells of people. It comes late, twice and out of order, or never: it hurries along
// what a sign-in finds out anyway, and is the only one to say that somebody is gone.
import type { ServiceBroker } from "moleculer";
import { Webhook } from "standardwebhooks";
import type { Tx } from "../../../mixins/postgres.ts";
import { settings } from "../../../mixins/settings.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import type { Ctx, Params } from "../../contracts/index.ts";
import { arrive } from "./arrival.ts";
import type { ClerkEvent } from "../domain/clerk.ts";
import { readClerkEvent } from "../domain/clerk.ts";
import type { Claimed } from "../domain/federation.ts";
import { becomesActive, disowned, displayNameOf } from "../domain/federation.ts";
import type { IdentityNode } from "../node.ts";
import { revokeSessions } from "../node.ts";
import { saveProfile } from "../profiles/save-profile.ts";
import { findAccount } from "../store/accounts.ts";
import { addAudit } from "../store/audit.ts";
import type { IdentityRow } from "../store/federation.ts";
import * as store from "../store/federation.ts";
import { profilesOf } from "../store/profiles.ts";
import type { Addressee } from "../store/recovery.ts";
import { lockAddressee } from "../store/recovery.ts";
import { factorsOf } from "../store/second-factors.ts";
import { tellOwner } from "../mail/tell-owner.ts";
import { setVerified } from "../mail/verified.ts";

type AnyCtx = Ctx<unknown>;

const PROVIDER = "clerk";
/** Without OIDC_CLERK_ISSUER nobody can sign in there: what the webhook says is noted under this name. */
const NO_ISSUER = "urn:clerk";
const MAX_ID = 255;

/** What was sent, if Clerk did. Throws 404 where there is no such webhook, 400 `bad-signature`, 422 `validation`. */
export function clerkEvent(broker: ServiceBroker, { body, headers }: Params<"federation.clerk">): { id: string; event: ClerkEvent | null } {
	const { CLERK_WEBHOOK_SECRET, providers } = settings(broker);
	if (CLERK_WEBHOOK_SECRET === undefined) throw problem("not-found");
	const [id = "", timestamp = "", signature = ""] = ["id", "timestamp", "signature"].map(
		(name) => headers[`svix-${name}`] ?? headers[`webhook-${name}`],
	);
	let sent: unknown;
	try {
		const signed = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
		if (id.length > MAX_ID) throw new Error("The id is too long.");
		new Webhook(CLERK_WEBHOOK_SECRET).verify(body, signed, { jsonParse: false });
	} catch {
		throw problem("bad-signature");
	}
	try {
		sent = JSON.parse(body);
	} catch {
		throw problem("malformed", { detail: "The body is not JSON." });
	}
	return { id, event: readClerkEvent(sent, providers[PROVIDER]?.issuer ?? NO_ISSUER) };
}

/** Does what an event says, once it is known to be new. */
export async function follow(node: IdentityNode, tx: Tx, ctx: AnyCtx, event: ClerkEvent, now: Date): Promise<void> {
	await store.lockSubject(tx, event.who);
	if (event.kind === "deleted") return gone(node, tx, ctx, event.who, now);
	if (!(await store.noteVersion(tx, event.who, event.version))) return;
	const identity = await store.findIdentity(tx, event.who);
	if (identity) return changed(tx, ctx, identity, event.who, now);
	// Whose e-mail nobody has verified has an account when they come themselves.
	if (!event.who.emailVerified) return;
	try {
		await arrive(tx, ctx, PROVIDER, event.who, now);
	} catch (error) {
		// An account that they may not have: they learn it when they come.
		if (!isProblem(error)) throw error;
	}
}

/** The account follows its person's e-mail and name for as long as it has them as the directory had them. */
async function changed(tx: Tx, ctx: AnyCtx, identity: IdentityRow, who: Claimed, now: Date): Promise<void> {
	const account = await lockAddressee(tx, identity.accountId);
	if (!account) return;
	const { email } = who;
	const theirs = who.emailVerified && email !== null;
	// Who has an account by an e-mail that was another's does not lead it to their own.
	const follows = !disowned({ ...identity, passwordHash: account.passwordHash });
	const moved =
		theirs && follows && email !== account.email && identity.email === account.email && (await moveTo(tx, ctx, account, email, now));
	const proven = moved || (theirs && email === account.email);
	if (proven && !moved && becomesActive(account, who)) await setVerified(tx, ctx, account, account.email, now);
	if (follows && who.name !== null && identity.name !== who.name)
		for (const profile of await profilesOf(tx, account.id))
			if (profile.displayName === displayNameOf(identity))
				await saveProfile(tx, ctx, account.id, { ...profile, displayName: displayNameOf(who) }, now);
	await store.touchIdentity(tx, identity.id, who, proven, now);
}

/** The address is the account's from now on, as the directory has proved; the old one is told. False where it has an account already. */
async function moveTo(tx: Tx, ctx: AnyCtx, account: Addressee, email: string, now: Date): Promise<boolean> {
	if (await findAccount(tx, { email })) return false;
	await tx.query("savepoint before_email");
	try {
		await tellOwner(ctx.broker, tx, account.id, "emailChanged", { email });
		await setVerified(tx, ctx, account, email, now);
		return true;
	} catch (error) {
		if (!isProblem(error, "email-taken")) throw error;
		await tx.query("rollback to savepoint before_email");
		return false;
	}
}

/** Whoever the directory has let go is signed out, and comes in by it no more; where that was the only way, the account is trashed. */
async function gone(node: IdentityNode, tx: Tx, ctx: AnyCtx, who: Pick<Claimed, "issuer" | "subject">, now: Date): Promise<void> {
	await store.noteDeletion(tx, who, now);
	const identity = await store.findIdentity(tx, who);
	if (!identity) return;
	const { accountId } = identity;
	const account = await store.lockAccount(tx, accountId);
	await store.deleteIdentity(tx, accountId, identity.id);
	const ways = (await store.countIdentities(tx, accountId)) + (await factorsOf(tx, accountId)).passkeys;
	await tellOwner(ctx.broker, tx, accountId, "signInUnlinked", { provider: PROVIDER });
	const stranded = account?.passwordHash === null && ways === 0;
	if (stranded) await store.setState(tx, accountId, "trashed", now);
	await revokeSessions(node, tx, ctx, { accountId }, "unlinked", now);
	const detail = { provider: PROVIDER, identityId: identity.id, trashed: stranded };
	await addAudit(tx, { actor: null, action: "account.unlink", target: accountId, requestId: ctx.requestId, detail }, now);
}
