// The end of a person in this node: what is left of the account names nobody.
import type { Tx } from "../../mixins/postgres.ts";
import { tellFacts } from "../../mixins/facts/index.ts";
import { NOBODY } from "./hashing.ts";
import type { Doing } from "./node.ts";
import { identityNode, revokeSessions } from "./node.ts";
import { forgetInAudit } from "./store/audit.ts";
import { eraseUser, profilesOfAll } from "./store/users.ts";

/**
 * Erases an account: its sessions end, its e-mail is free, its profiles stay as nobody's, so that what they wrote keeps its place;
 * the audit keeps what was done and when, without what names the person. Other nodes hear of it by the fact.
 */
export async function eraseAccount(tx: Tx, ctx: Doing, accountId: string): Promise<void> {
	const now = new Date();
	await revokeSessions(identityNode(ctx.broker), tx, ctx, { accountId }, "erased", now);
	await eraseUser(tx, accountId, NOBODY, now);
	await forgetInAudit(tx, accountId);
	const profileIds = (await profilesOfAll(tx, [accountId])).map(({ id }) => id);
	await tellFacts(tx, ctx, [{ type: "identity.account.erased", aggregate: accountId, payload: { accountId, profileIds } }]);
}
