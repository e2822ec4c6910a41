// The relay of one node: carries unsent facts from its outbox to every inbox that hears them.
import type { Db } from "../postgres.ts";
import type { Carrier } from "./carrier.ts";
import { markSent, unsentFacts } from "./outbox.ts";

export const RELAY_BATCH = 500;
/** Another process relays this node's facts at the moment: look again soon (ms). */
const BUSY_RETRY = 100;

/**
 * Carries one portion; answers when to come again (ms), or null when the outbox is empty. One relay works at a time
 * (a transaction lock: safe behind a pooler, gone with a crash), so facts of one aggregate stay in order. It is
 * marked as sent only after every receiver stored it: a crash in between sends it twice, and inboxes take it once.
 */
export async function relayOnce(db: Db, node: string, carrier: Carrier): Promise<number | null> {
	return db.tx(async (tx) => {
		// This commit need not wait for the disk: a mark that is lost is a fact sent again.
		const [lock] = await tx.query<{ mine: boolean }>(
			"select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine, set_config('synchronous_commit', 'off', true)",
			[`${node}:relay`],
			"relay-lock",
		);
		if (!lock?.mine) return BUSY_RETRY;
		const rows = await unsentFacts(tx, RELAY_BATCH);
		if (rows.length === 0) return null;
		await carrier.deliver(rows.map(({ row: _row, ...fact }) => fact));
		await markSent(tx, rows, new Date());
		return rows.length === RELAY_BATCH ? 0 : null;
	});
}
