// What operators see of a node's facts: those that wait to be carried, and those that wait to be handled.
import type { Db } from "../postgres.ts";

export interface FactsState {
	/** In the outbox, not carried yet. */
	unsent: number;
	/** When the oldest of them was told, ISO 8601. */
	oldest: string | null;
	/** In the inbox, by consumer. */
	consumers: Record<string, { waiting: number; dead: number }>;
}

export async function factsState(db: Db): Promise<FactsState> {
	const [outbox] = await db.query<{ unsent: number; oldest: string | null }>(
		"select count(*)::int as unsent, min(at) as oldest from outbox where sent_at is null",
	);
	const inbox = await db.query<{ consumer: string; waiting: number; dead: number }>(
		`select consumer, count(*) filter (where dead_at is null)::int as waiting, count(dead_at)::int as dead
		from inbox where handled_at is null group by consumer order by consumer`,
	);
	return {
		unsent: outbox?.unsent ?? 0,
		oldest: outbox?.oldest ?? null,
		consumers: Object.fromEntries(inbox.map(({ consumer, waiting, dead }) => [consumer, { waiting, dead }])),
	};
}
