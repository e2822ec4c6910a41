// What was done to accounts and sessions, by whom: kept for good.
import { newId } from "../../../mixins/id.ts";
import type { Queryable } from "../../../mixins/postgres.ts";

export interface AuditEntry {
	actor: string | null;
	action: string;
	target: string;
	requestId: string | null;
	detail: Record<string, unknown>;
}

export async function addAudit(tx: Queryable, entry: AuditEntry, now: Date): Promise<void> {
	await tx.query("insert into audit (id, at, actor, action, target, request_id, detail) values ($1, $2, $3, $4, $5, $6, $7)", [
		newId(),
		now,
		entry.actor,
		entry.action,
		entry.target,
		entry.requestId,
		JSON.stringify(entry.detail),
	]);
}
