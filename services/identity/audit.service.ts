// What was done to accounts and sessions: shown, and held against its chain.
import { createHash } from "node:crypto";
import type { Queryable } from "../../mixins/node.ts";
import { decodeCursor, pageOf, service } from "../../mixins/node.ts";
import type { Broken, Hash } from "./domain/chain.ts";
import { BEGINNING, endOf, follow } from "./domain/chain.ts";
import { identityNode } from "./node.ts";
import type { AuditRow } from "./store/audit.ts";
import { auditEntries, auditHead, chainedEntries, unchainedEntries } from "./store/audit.ts";

const PORTION = 2_000;

const sha256: Hash = (bytes, text) => createHash("sha256").update(Buffer.from(bytes, "hex")).update(text, "utf8").digest("hex");

const merged = (said: AuditRow["before"], personal: NonNullable<AuditRow["personal"]>["before"]) =>
	said || personal ? { ...said, ...personal } : null;

const view = ({ personal, before, after, ...entry }: AuditRow) => ({
	...entry,
	before: merged(before, personal?.before),
	after: merged(after, personal?.after),
});

/** The first entry that is not as it was; null where the whole chain is sound up to the head as it is now. */
async function firstBroken(db: Queryable): Promise<{ entries: number; broken: Broken | null }> {
	const head = await auditHead(db);
	let last = BEGINNING;
	while (last.seq < head.seq) {
		const entries = (await chainedEntries(db, last.seq, PORTION)).filter(({ seq }) => seq <= head.seq);
		if (entries.length === 0) break;
		const found = follow(last, entries, sha256);
		if ("broken" in found) return { entries: found.broken.seq ?? 0, broken: found.broken };
		last = found.last;
	}
	const [stranger] = await unchainedEntries(db);
	const inserted = stranger ? { seq: null, ...stranger, fault: "inserted" as const } : null;
	return { entries: last.seq, broken: endOf(last, head) ?? inserted };
}

export default service("audit", {
	node: identityNode,

	actions: {
		async list(ctx, { db }) {
			const { limit, cursor, ...filter } = ctx.params;
			const [before] = decodeCursor(cursor, ["number"]) ?? [null];
			const rows = await auditEntries(db, filter, before === null ? null : Number(before), limit + 1);
			return pageOf(rows, limit, ({ seq }) => [seq], view);
		},

		async check(_ctx, { db }) {
			const { entries, broken } = await firstBroken(db);
			return { ok: broken === null, entries, broken };
		},
	},
});
