// Tickets of logins whose first step was right. They are stored as hashes: who reads the table can use none.
import { createHash } from "node:crypto";
import type { Queryable, Tx } from "../../../mixins/postgres.ts";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
/** Of an account that has no password: of nothing, which no hash of a password is. */
const proofOf = (passwordHash: string | null): Buffer => digest(passwordHash ?? "");

export async function insertTicket(
	tx: Tx,
	ticket: string,
	{ id, passwordHash }: { id: string; passwordHash: string | null },
	expiresAt: Date,
): Promise<void> {
	await tx.query("insert into mfa_tickets (hash, account_id, proof, failures, expires_at) values ($1, $2, $3, 0, $4)", [
		digest(ticket),
		id,
		proofOf(passwordHash),
		expiresAt,
	]);
}

export interface TicketRow {
	accountId: string;
	failures: number;
	proof: Buffer;
}

/** A ticket that is still good. */
export async function findTicket(db: Queryable, ticket: string, now: Date): Promise<TicketRow | undefined> {
	const [row] = await db.query<TicketRow>(
		`select account_id as "accountId", failures, proof from mfa_tickets where hash = $1 and expires_at > $2`,
		[digest(ticket), now],
		"ticket-find",
	);
	return row;
}

/** Whether the ticket was given for this password. */
export const isProofOf = ({ proof }: TicketRow, passwordHash: string | null): boolean => proof.equals(proofOf(passwordHash));

export async function failTicket(tx: Tx, ticket: string): Promise<void> {
	await tx.query("update mfa_tickets set failures = failures + 1 where hash = $1", [digest(ticket)], "ticket-fail");
}

export async function deleteTicket(tx: Tx, ticket: string): Promise<void> {
	await tx.query("delete from mfa_tickets where hash = $1", [digest(ticket)], "ticket-delete");
}

export async function deleteTickets(tx: Tx, accountId: string): Promise<void> {
	await tx.query("delete from mfa_tickets where account_id = $1", [accountId]);
}
