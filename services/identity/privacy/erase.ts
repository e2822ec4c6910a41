// Erasing an account: gone at once here, and told to every node; the work is done when each has given its receipt.
import { tellFacts } from "../../../mixins/facts/index.ts";
import type { Consumer } from "../../../mixins/facts/index.ts";
import { eachFact } from "../../../mixins/facts/index.ts";
import { mailsSoFar } from "../../../mixins/mail/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { endWork, holdWork, noteResult } from "../../../mixins/work/store.ts";
import { problem } from "../../contracts/errors.ts";
import type { FactName, KeeperName } from "../../contracts/index.ts";
import { keeperNames } from "../../contracts/index.ts";
import type { Job } from "../../contracts/work.ts";
import { DAY_MS } from "../domain/mfa.ts";
import { identityJobs } from "../jobs.ts";
import type { Doing } from "../node.ts";
import { identityNode, revokeSessions } from "../node.ts";
import { forgetInAudit } from "../store/audit.ts";
import { eraseRows, holdCondemned } from "../store/erase.ts";
import { identityWork } from "./work.ts";

/**
 * Erases an account in the caller's transaction: its sessions end, its e-mail is free, what stays is an empty account in the state
 * `purged`, and in the audit what was done and when, without what names the person. A mail tells the address, if it was proved; those from
 * before go. Answers the work that ends when every node has erased its part; its ticket opens it to whoever has no account any more.
 * So may whoever erases somebody else's, by their own account (`starter`). The audit is the caller's to write. Throws 404 `not-found`,
 * 409 `wrong-state`.
 */
export async function eraseAccount(
	tx: Tx,
	ctx: Doing,
	accountId: string,
	starter: string | null = null,
): Promise<Job & { ticket: string }> {
	const now = new Date();
	const condemned = await holdCondemned(tx, accountId);
	if (!condemned) throw problem("not-found");
	if (condemned.state === "purged") throw problem("wrong-state", { state: "purged" });
	const { profileIds, createdAt: since } = condemned;
	const node = identityNode(ctx.broker);
	await revokeSessions(node, tx, ctx, { accountId }, "erased", now);
	await eraseRows(tx, accountId, condemned, now);
	await forgetInAudit(tx, accountId);
	const seen = { once: accountId, total: keeperNames.length, ticket: true, starter } as const;
	const job = await identityWork.begin(tx, ctx, "erase", { receipts: {} }, seen);
	await tellFacts(tx, { requestId: ctx.requestId, actor: null }, [
		{ type: "identity.account.erased", aggregate: accountId, payload: { accountId, profileIds, since } },
	]);
	const { email: to, language, verifiedAt, addresses } = condemned;
	await forgetMailsTo(tx, ctx, addresses, now);
	if (verifiedAt !== null) await node.sendMail(tx, { to, language, template: "accountErased", values: {} });
	// That one is the last, and has a day to be read.
	await forgetMailsTo(tx, ctx, addresses, new Date(now.getTime() + DAY_MS));
	return { ...job, ticket: job.ticket ?? "" };
}

/** Mails that lie in files go, too. Planned so far: whoever registers with the address meanwhile keeps theirs. */
async function forgetMailsTo(tx: Tx, { broker }: Doing, addresses: readonly string[], at: Date): Promise<void> {
	const mails = mailsSoFar(broker, addresses);
	if (mails) await identityJobs.plan(tx, "forgetMails", mails, { at });
}

/** When each node gave its receipt. */
type Receipts = Partial<Record<KeeperName, string>>;

/** A node has erased its part. Heard twice it is the first receipt that counts. */
async function receive(tx: Tx, node: KeeperName, accountId: string, at: string): Promise<void> {
	const row = await holdWork(tx, "erase", accountId);
	if (!row) return;
	const { receipts: before } = (row.result ?? row.input) as { receipts: Receipts };
	const receipts: Receipts = { [node]: at, ...before };
	const missing = keeperNames.filter((keeper) => receipts[keeper] === undefined);
	const result = { receipts: receipts as Record<string, string> };
	if (missing.length === 0) await endWork(tx, row.id, { result }, new Date());
	else await noteResult(tx, row.id, result, keeperNames.length - missing.length);
}

/** Gathers the receipts of erasures. */
export const receipts: Consumer = eachFact(
	Object.fromEntries(
		keeperNames.map((node) => [
			`${node}.person.erased` satisfies FactName,
			({ at, payload }: { at: string; payload: { accountId: string } }, tx: Tx) => receive(tx, node, payload.accountId, at),
		]),
	),
);
