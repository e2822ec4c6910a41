// A node that tells and one that hears, on their databases.
import { after, beforeEach } from "node:test";
import pg from "pg";
import { database } from "../../mixins/postgres.ts";
import { testDatabase } from "./database.ts";
import { HEARER, TELLER, forgetEverything, makeEffects } from "./facts.ts";

/** Both nodes' databases, for a whole file: each test begins with nothing told and nothing heard. */
export async function factsHouse() {
	const fresh = await testDatabase([TELLER, HEARER]);
	const [teller, hearer] = [database(TELLER), database(HEARER)];
	await makeEffects(hearer);
	after(() => fresh.close());
	beforeEach(forgetEverything);

	/** What lies in the inbox about a group, in the order of its arrival. */
	async function inInbox(group: string): Promise<number[]> {
		const rows = await hearer.query<{ n: number }>(
			"select (payload ->> 'seq')::int as n from inbox where aggregate = $1 order by position",
			[group],
		);
		return rows.map(({ n }) => n);
	}
	/** On a connection of the database's owner. */
	async function asOwner(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
		const client = new pg.Client({ connectionString: fresh.ownerUrl });
		await client.connect();
		try {
			await work(client);
		} finally {
			await client.end();
		}
	}

	return { teller, hearer, inInbox, asOwner, urlFor: fresh.urlFor };
}
