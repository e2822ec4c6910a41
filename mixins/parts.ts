// Parts of a node's schema that a migration of the node names (`-- parts: …`): whoever needs one says so when it is made, and the
// start of the process looks once whether it is there. (What every node has, mixins/migrations, needs no look: the start has run it.)
import type { ServiceBroker } from "moleculer";
import { refusal } from "../config/refusal.ts";
import { perBroker } from "./per-broker.ts";
import type { Db } from "./postgres.ts";

/** Tables of a node that somebody speaks to. */
export interface Need {
	db: Db;
	part: string;
	/** One table of the part, as the node would write it. */
	table: string;
}

/** What is needed in this process; to be added to before it starts. */
export const needsOf = perBroker((): Need[] => []);

/** One question per node. Throws a refusal: which node lacks what, and what to write. */
export async function checkParts(broker: ServiceBroker): Promise<void> {
	await Promise.all([...Map.groupBy(needsOf(broker), ({ db }) => db)].map(([db, needs]) => checkNode(db, needs)));
}

async function checkNode(db: Db, needs: Need[]): Promise<void> {
	const [lacking] = await db.query<{ node: string; part: string; table: string }>(
		`select current_schema() as node, part, "table" from unnest($1::text[], $2::text[]) as need (part, "table")
		where to_regclass("table") is null limit 1`,
		[needs.map(({ part }) => part), needs.map(({ table }) => table)],
	);
	if (!lacking) return;
	const { node, part, table } = lacking;
	throw refusal(
		`The node ${node} uses the part ${part}, but its schema has no table ${table}: let a new migration in services/${node}/migrations begin with the line "-- parts: ${part}".`,
	);
}
