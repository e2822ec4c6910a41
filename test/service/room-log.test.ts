// The numbered log of a room on PostgreSQL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { logSuite } from "../support/log-suite.ts";
import type { LogHouse } from "../support/log-house.ts";
import { logsOnPostgres } from "../support/log-house.ts";

logSuite("PostgreSQL", logsOnPostgres);

describe("the index", () => {
	let house: LogHouse;
	before(async () => {
		house = await logsOnPostgres();
	});
	after(() => house.close());

	test("a page is found by the index, however long the log is", async () => {
		const room = randomUUID();
		await house.db.query(
			`insert into room_events (room, seq, id, type, at, body)
		select $1, n, gen_random_uuid(), 'message', '2026-03-01', '{}' from generate_series(1, 50000) as n`,
			[room],
		);
		await house.db.query("analyze room_events");
		const plan = await house.db.query<{ "QUERY PLAN": string }>(
			"explain select seq from room_events where room = $1 and seq > $2 order by seq limit 100",
			[room, 49_000],
		);
		assert.match(plan.map((line) => line["QUERY PLAN"]).join("\n"), /Index.* using room_events_pkey/);
		const { carrier } = await house.process();
		assert.deepEqual(
			(await carrier.page(room, 49_000, 100)).map(({ seq }) => seq),
			Array.from({ length: 100 }, (_, i) => 49_001 + i),
		);
	});
});
