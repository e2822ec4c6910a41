// The relay of one node: hands the unsent facts of its outbox to the carrier.
import type { Db } from "../postgres.ts";
import type { Carrier } from "./carrier.ts";
import { markSent } from "./outbox.ts";

export const RELAY_BATCH = 500;
/** Another process relays this node's facts at the moment: look again soon (ms). */
const BUSY_RETRY = 100;

/**
 * Carries one portion; answers when to come again (ms), or null when the outbox is empty. One relay works at a time
 * (a transaction lock: safe behind a pooler, gone with a crash), so facts of one aggregate stay in order. It is
 * marked as sent only after the carrier has it for good: a crash in between sends it twice, and inboxes take it once.
 */
export async function relayOnce(db: Db, node: string, carrier: Carrier, carried?: (facts: number) => void): Promise<number | null> {
	return db.tx(async (tx) => {
		// This commit need not wait for the disk: a mark that is lost is a fact sent again.
		const [lock] = await tx.query<{ mine: boolean }>(
			"select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine, set_config('synchronous_commit', 'off', true)",
			[`${node}:relay`],
			"relay-lock",
		);
		if (!lock?.mine) return BUSY_RETRY;
		const { rows, more } = await carrier.next(tx, node, RELAY_BATCH);
		if (rows.length === 0) return null;
		if (!(await carrier.deliver(tx, node, rows))) return 0;
		await markSent(tx, rows, new Date());
		carried?.(rows.length);
		return more ? 0 : null;
	});
}
