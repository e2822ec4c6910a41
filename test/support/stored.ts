// What a node keeps, as one word for each table: for tests that say "and nothing was changed".
import { database } from "../../mixins/postgres.ts";

/** Each table of these nodes by name, with the MD5 of all that is in it. */
export async function stored(...nodes: string[]): Promise<Record<string, string>> {
	const all: Record<string, string> = {};
	for (const node of nodes) {
		const db = database(node);
		const tables = await db.query<{ name: string }>("select tablename as name from pg_tables where schemaname = current_schema()");
		for (const { name } of tables) {
			const [row] = await db.query<{ sum: string }>(
				`select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as sum from "${name}" t`,
			);
			all[`${node}.${name}`] = row?.sum ?? "";
		}
	}
	return all;
}
