// Entries from before the chain get into it by the migration.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import pg from "pg";
import { migrateAll } from "../../config/migrations.ts";
import { database } from "../../mixins/postgres.ts";
import { chainedEntries } from "../../services/identity/store/audit.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";

const db = await testDatabase(["identity"]);
after(() => db.close());
const options = { ownerUrl: db.ownerUrl, secretKey: TEST_SECRET_KEY, nodes: ["identity"] };

test("entries from before the chain are in it, in the order in which they came, and what names a person can go from them", async () => {
	for (let ran: string[] = []; !ran.includes("identity/0008_admin"); ) ran = await migrateAll(options, "down");
	const client = new pg.Client({ connectionString: db.urlFor("identity") });
	await client.connect();
	const write = (at: string, action: string, detail: object) =>
		client.query("insert into audit (id, at, action, target, detail) values ($1, $2, $3, 'x', $4)", [
			randomUUID(),
			at,
			action,
			JSON.stringify(detail),
		]);
	await write("2026-02-02T10:00:00Z", "session.reuse", { accountId: "a", address: "192.0.2.66", device: "thief/1" });
	await write("2026-02-01T10:00:00Z", "account.role", { before: "user", after: "admin" });
	await assert.rejects(client.query("delete from audit"), /kept as they are/);
	await client.end();
	await migrateAll(options, "up");

	const entries = await chainedEntries(database("identity"), 0, 10);
	assert.deepEqual(
		entries.map(({ seq, action }) => [seq, action]),
		[
			[1, "account.role"],
			[2, "session.reuse"],
		],
	);
	const [reuse] = await database("identity").query<{ detail: object; personal: { after: object } }>(
		"select detail, personal from audit where action = 'session.reuse'",
	);
	assert.deepEqual(
		[reuse?.detail, reuse?.personal.after],
		[{ accountId: "a" }, { accountId: "a", address: "192.0.2.66", device: "thief/1" }],
	);
});
