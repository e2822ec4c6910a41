// The second step of a login: a ticket for who has done the first, and what it is changed for.
import { randomBytes } from "node:crypto";
import { once } from "../../../mixins/idempotency.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { problem } from "../../contracts/errors.ts";
import type { SignedIn } from "../../contracts/identity.ts";
import type { Ctx, Params } from "../../contracts/index.ts";
import type { MfaRequired } from "../../contracts/mfa.ts";
import { proveByCode } from "./codes.ts";
import { maySignIn } from "../domain/login.ts";
import { methodsOf, TICKET_SECONDS, TICKET_TRIES } from "../domain/mfa.ts";
import type { IdentityNode } from "../node.ts";
import { openSession } from "../node.ts";
import { accountOfPasskey, requestFor } from "./passkeys.ts";
import type { AccountRow } from "../store/accounts.ts";
import { holdAccount } from "../store/accounts.ts";
import { addAudit } from "../store/audit.ts";
import { deleteTicket, failTicket, findTicket, insertTicket, isProofOf } from "../store/mfa-tickets.ts";
import { factorsOf, lockFactors } from "../store/second-factors.ts";

type AnyCtx = Ctx<unknown>;

/**
 * What the first step of a login leads to, however it was taken: a session, or, where the account has a second factor, the ticket
 * for the second step. `openSession` alone refuses such an account.
 */
export async function enter(node: IdentityNode, tx: Tx, ctx: AnyCtx, account: AccountRow, now: Date): Promise<SignedIn | MfaRequired> {
	if (!account.mfa) return openSession(node, tx, ctx, account, now);
	const ticket = randomBytes(32).toString("base64url");
	await insertTicket(tx, ticket, account, new Date(now.getTime() + TICKET_SECONDS * 1000));
	const methods = methodsOf(await factorsOf(tx, account.id));
	const options = methods.includes("passkey") ? { options: await requestFor(tx, ctx, account.id, now) } : {};
	return { mfaRequired: true, ticket, methods, expiresIn: TICKET_SECONDS, ...options };
}

/** The account of a ticket that is still good. Throws 401 `invalid-token`. */
export async function accountOfTicket(tx: Tx, ticket: string, now: Date): Promise<string> {
	const row = await findTicket(tx, ticket, now);
	if (!row) throw problem("invalid-token", { detail: "The ticket is unknown, used up or expired: sign in again." });
	return row.accountId;
}

/** Changes a ticket and a second factor for a session. Throws 401 `invalid-token`, `invalid-credentials`, 403, 429. */
export async function secondStep(node: IdentityNode, ctx: AnyCtx, given: Params<"mfa.login">): Promise<SignedIn> {
	const field = given.method === "passkey" ? "response" : "code";
	if (given[field] === undefined)
		throw problem("validation", { errors: [{ path: field, code: "required", message: `is required by ${given.method}` }] });
	const now = new Date();
	const signed = await once(ctx, node.db, async (tx) => {
		const account = await holderOf(tx, given.ticket, now);
		if (!(await isProved(tx, ctx, account, given, now))) {
			const ticket = await findTicket(tx, given.ticket, now);
			if ((ticket?.failures ?? 0) + 1 >= TICKET_TRIES) await deleteTicket(tx, given.ticket);
			else await failTicket(tx, given.ticket);
			// Answered, not thrown: a throw would forget that it was tried.
			return null;
		}
		await deleteTicket(tx, given.ticket);
		if (given.method === "recovery") {
			const detail = { left: (await factorsOf(tx, account.id)).recoveryCodes, address: ctx.address };
			await addAudit(tx, { actor: account.id, action: "mfa.recovery", target: account.id, requestId: ctx.requestId, detail }, now);
		}
		return openSession(node, tx, ctx, account, now, { acr: "2" });
	});
	if (!signed) throw wrongFactor();
	return signed;
}

export const wrongFactor = () => problem("invalid-credentials", { detail: "The code or passkey is wrong, or was used before." });

/** Who may change the ticket: the account as it is now, held, with the password the ticket was given for. */
async function holderOf(tx: Tx, ticket: string, now: Date): Promise<AccountRow> {
	const accountId = await accountOfTicket(tx, ticket, now);
	await lockFactors(tx, accountId);
	// Once more: whoever held the lock may have ended it.
	await accountOfTicket(tx, ticket, now);
	const [account, row] = [await holdAccount(tx, accountId), await findTicket(tx, ticket, now)];
	if (!account || !row || !isProofOf(row, account.passwordHash)) throw problem("invalid-token", { detail: "Sign in again." });
	maySignIn(account);
	return account;
}

async function isProved(tx: Tx, ctx: AnyCtx, account: AccountRow, given: Params<"mfa.login">, now: Date): Promise<boolean> {
	switch (given.method) {
		case "totp":
		case "recovery":
			return proveByCode(tx, ctx, account.id, given.method, given.code ?? "", now);
		case "passkey":
			return given.response !== undefined && (await accountOfPasskey(tx, ctx, given.response, now))?.id === account.id;
		default:
			return given.method satisfies never;
	}
}
