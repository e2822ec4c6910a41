// What operators ask of every node's database.
import { database } from "../../mixins/postgres.ts";
import type { Db } from "../../mixins/postgres.ts";
import { nodesWithMigrations } from "../migrations.ts";

/** Every node with a database, and what was read of it; undefined where it does not answer. */
export async function ofEach<T>(read: (db: Db, node: string) => Promise<T>): Promise<[string, T | undefined][]> {
	return Promise.all(
		nodesWithMigrations().map(async (node): Promise<[string, T | undefined]> => {
			const db = database(node);
			return [node, (await db.healthy()) ? await read(db, node) : undefined];
		}),
	);
}

export const sum = (numbers: number[]): number => numbers.reduce((all, number) => all + number, 0);
