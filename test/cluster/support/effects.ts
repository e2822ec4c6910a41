// What the facts of stored messages must have done, each exactly once: told by the outbox, taken by the inbox, paid by the
// ledger (up to the day's cap), noted in the profile's own log. Read in the database itself: no node can gloss over it.
import pg from "pg";

/** A message as it is stored. */
export interface Stored {
	id: string;
	sender: string;
	at: string;
}

/** `message-posted` in services/gamification/domain/rules.ts. */
const XP = { each: 5, dailyCap: 100 };
const NODES = ["groups", "gamification", "presence", "identity"];

export class Effects {
	/** Everything that was ever stored: the ledger knows no phases. */
	readonly #stored = new Map<string, Stored>();
	readonly #url: string;

	constructor(databaseUrl: string) {
		this.#url = databaseUrl;
	}

	/** Waits until no fact is under way, at most `limitMs`; then says what is wrong. */
	async check(fresh: readonly Stored[], limitMs: number): Promise<string[]> {
		for (const each of fresh) this.#stored.set(each.id, each);
		const until = performance.now() + limitMs;
		const client = new pg.Client({ connectionString: this.#url });
		client.on("error", () => {});
		await client.connect();
		try {
			for (;;) {
				const wrong = [...(await underWay(client)), ...(await this.#facts(client, fresh)), ...(await this.#ledger(client))];
				if (wrong.length === 0 || performance.now() > until) return wrong;
				await new Promise((resolve) => setTimeout(resolve, 100));
			}
		} finally {
			await client.end();
		}
	}

	async #facts(client: pg.Client, fresh: readonly Stored[]): Promise<string[]> {
		const { rows } = await client.query<{ id: string; told: number; taken: number }>(
			`select m.id, count(distinct o.fact_id)::int as told, count(i.fact_id)::int as taken
			from unnest($1::text[]) as m(id)
			left join groups.outbox o on o.type = 'groups.message.posted' and o.payload->>'messageId' = m.id
			left join gamification.inbox i on i.fact_id = o.fact_id and i.handled_at is not null
			group by m.id having count(distinct o.fact_id) <> 1 or count(i.fact_id) <> 1`,
			[fresh.map(({ id }) => id)],
		);
		return rows.map(({ id, told, taken }) => `the fact of message ${id} was told ${told} times and taken ${taken} times`);
	}

	async #ledger(client: pg.Client): Promise<string[]> {
		const wrong: string[] = [];
		const paid = new Map<string, number>();
		const bySender = Map.groupBy(this.#stored.values(), ({ sender }) => sender);
		for (const [sender, messages] of bySender) {
			const days = Map.groupBy(messages, ({ at }) => at.slice(0, 10));
			paid.set(
				sender,
				[...days.values()].reduce((sum, day) => sum + Math.min(XP.dailyCap, XP.each * day.length), 0),
			);
		}
		const { rows } = await client.query<{ owner: string; xp: number; sources: string[]; balance: number; noted: number; last: number }>(
			`select p.owner, coalesce(sum(e.amount), 0)::int as xp, coalesce(array_agg(e.source) filter (where e.source is not null), '{}') as sources,
				(select coalesce(max(balance), 0)::int from gamification.accounts a where a.owner = p.owner and a.currency = 'xp') as balance,
				(select count(*)::int from presence.room_events r where r.room = p.owner::uuid and r.type = 'xp') as noted,
				(select coalesce(max(seq) - count(*), 0)::int from presence.room_events r where r.room = p.owner::uuid) as last
			from unnest($1::text[]) as p(owner)
			left join gamification.entries e on e.owner = p.owner and e.currency = 'xp' and e.reason = 'message-posted'
			group by p.owner`,
			[[...paid.keys()]],
		);
		for (const { owner, xp, sources, balance, noted, last } of rows) {
			const due = paid.get(owner);
			if (xp !== due) wrong.push(`${owner} was paid ${xp} XP for messages, and earned ${due}`);
			if (balance !== xp) wrong.push(`${owner} has a balance of ${balance} XP, and entries of ${xp}`);
			if (new Set(sources).size !== sources.length) wrong.push(`${owner} was paid twice for one message`);
			const strange = sources.find((source) => this.#stored.get(source)?.sender !== owner);
			if (strange) wrong.push(`${owner} was paid for message ${strange}, which is not stored as theirs`);
			if (noted !== sources.length) wrong.push(`${owner} has ${noted} XP events in their own log, and ${sources.length} payments`);
			if (last !== 0) wrong.push(`${owner} has a gap in their own log`);
		}
		return wrong;
	}
}

/** Facts that are not where they belong yet, and those that never will be. */
async function underWay(client: pg.Client): Promise<string[]> {
	const wrong: string[] = [];
	const { rows: tables } = await client.query<{ node: string; name: string }>(
		"select schemaname as node, tablename as name from pg_tables where schemaname = any($1) and tablename in ('inbox') union all select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and c.relkind = 'p' and c.relname = 'outbox'",
		[NODES],
	);
	for (const { node, name } of tables) {
		const where = name === "outbox" ? "sent_at is null" : "handled_at is null";
		const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ${node}.${name} where ${where}`);
		if (rows[0]?.count) wrong.push(`${rows[0].count} facts wait in the ${name} of ${node}`);
		if (name === "inbox") {
			const { rows: dead } = await client.query<{ cause: string }>(`select cause from ${node}.inbox where dead_at is not null limit 1`);
			if (dead[0]) wrong.push(`${node} has a dead letter: ${dead[0].cause}`);
		}
	}
	return wrong;
}
