// What the facts of stored messages must have done, each exactly once: told by the outbox, taken by the inbox, paid by the
// ledger (up to the day's cap), noted in the profile's own log. Read in the database itself: no node can gloss over it.
import pg from "pg";
import { nodesWithMigrations } from "../../../config/migrations.ts";

/** A message as it is stored. */
export interface Stored {
	id: string;
	sender: string;
	at: string;
}

/** `message-posted` in services/gamification/domain/rules.ts. */
const XP = { each: 5, dailyCap: 100 };

export class Effects {
	readonly #url: string;
	/** How many messages each sender ever stored on each day: the ledger knows no phases. */
	readonly #stored = new Map<string, Map<string, number>>();
	/** Payments that were looked at before. */
	readonly #known = new Set<string>();
	/** The last row of the outbox that was looked at. */
	#reached = "0";

	constructor(databaseUrl: string) {
		this.#url = databaseUrl;
	}

	/** Waits until no fact is under way, at most `limitMs`; then says what is wrong with those of the messages stored since. */
	async check(fresh: readonly Stored[], limitMs: number): Promise<string[]> {
		for (const { sender, at } of fresh) {
			const days = this.#stored.get(sender) ?? new Map<string, number>();
			this.#stored.set(sender, days.set(at.slice(0, 10), (days.get(at.slice(0, 10)) ?? 0) + 1));
		}
		const until = performance.now() + limitMs;
		const client = new pg.Client({ connectionString: this.#url });
		client.on("error", () => {});
		await client.connect();
		try {
			for (;;) {
				const wrong = [...(await underWay(client)), ...(await this.#facts(client, fresh)), ...(await this.#ledger(client, fresh))];
				if (wrong.length === 0 || performance.now() > until) {
					const { rows } = await client.query<{ last: string }>("select coalesce(max(id), 0) as last from groups.outbox");
					this.#reached = rows[0]?.last ?? "0";
					return wrong;
				}
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
			left join groups.outbox o on o.id > $2 and o.type = 'groups.message.posted' and o.payload->>'messageId' = m.id
			left join gamification.inbox i on i.fact_id = o.fact_id and i.handled_at is not null
			group by m.id having count(distinct o.fact_id) <> 1 or count(i.fact_id) <> 1`,
			[fresh.map(({ id }) => id), this.#reached],
		);
		return rows.map(({ id, told, taken }) => `the fact of message ${id} was told ${told} times and taken ${taken} times`);
	}

	async #ledger(client: pg.Client, fresh: readonly Stored[]): Promise<string[]> {
		const wrong: string[] = [];
		const { rows } = await client.query<{ owner: string; xp: number; sources: string[]; balance: number; noted: number; gaps: number }>(
			`select p.owner, coalesce(sum(e.amount), 0)::int as xp, coalesce(array_agg(e.source) filter (where e.source is not null), '{}') as sources,
				(select coalesce(max(balance), 0)::int from gamification.accounts a where a.owner = p.owner and a.currency = 'xp') as balance,
				(select count(*)::int from presence.room_events r where r.room = p.owner::uuid and r.type = 'xp') as noted,
				(select coalesce(max(seq) - count(*), 0)::int from presence.room_events r where r.room = p.owner::uuid) as gaps
			from unnest($1::text[]) as p(owner)
			left join gamification.entries e on e.owner = p.owner and e.currency = 'xp' and e.reason = 'message-posted'
			group by p.owner`,
			[[...this.#stored.keys()]],
		);
		const senders = new Map(fresh.map(({ id, sender }) => [id, sender]));
		for (const { owner, xp, sources, balance, noted, gaps } of rows) {
			const days = [...(this.#stored.get(owner)?.values() ?? [])];
			const due = days.reduce((sum, messages) => sum + Math.min(XP.dailyCap, XP.each * messages), 0);
			if (xp !== due) wrong.push(`${owner} was paid ${xp} XP for messages, and earned ${due}`);
			if (balance !== xp) wrong.push(`${owner} has a balance of ${balance} XP, and entries of ${xp}`);
			if (new Set(sources).size !== sources.length) wrong.push(`${owner} was paid twice for one message`);
			for (const source of sources.filter((each) => !this.#known.has(each))) {
				if (senders.get(source) === owner) this.#known.add(source);
				else wrong.push(`${owner} was paid for message ${source}, which is not stored as theirs`);
			}
			if (noted !== sources.length) wrong.push(`${owner} has ${noted} XP events in their own log, and ${sources.length} payments`);
			if (gaps !== 0) wrong.push(`${owner} has a gap in their own log`);
		}
		return wrong;
	}
}

/** Facts that are not where they belong yet, and those that never will be. */
async function underWay(client: pg.Client): Promise<string[]> {
	const wrong: string[] = [];
	const { rows: tables } = await client.query<{ node: string; name: string }>(
		"select schemaname as node, tablename as name from pg_tables where schemaname = any($1) and tablename in ('inbox') union all select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and c.relkind = 'p' and c.relname = 'outbox'",
		[nodesWithMigrations()],
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
