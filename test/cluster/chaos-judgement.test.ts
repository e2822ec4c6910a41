// The judgement over a living platform says no where something is wrong: a message that was acknowledged is taken out of the
// database, and a fact out of an inbox.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { needs } from "../support/servers.ts";
import { allBut, Cluster } from "./support/cluster.ts";
import { kill } from "./support/faults.ts";
import { Trial } from "./support/trial.ts";

describe("what is taken away on purpose", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 120_000 }, () => {
	let cluster: Cluster;
	let trial: Trial;
	let database: pg.Client;
	before(async () => {
		cluster = await Cluster.start({ shape: { [allBut()]: 1 } });
		// Nobody needs to wait for what will never come.
		trial = await Trial.on(cluster, { settleMs: 1_500 });
		database = new pg.Client({ connectionString: cluster.servers.postgres.url });
		await database.connect();
	});
	after(async () => {
		await database?.end();
		await cluster?.stop();
	});

	test("a message that is missing from the log is said to be lost, and a gap", async () => {
		const report = await trial.phase("a message is gone", async () => {
			const { rowCount } = await database.query(
				"delete from groups.room_events where (room, seq) = (select room, seq from groups.room_events where type = 'message' order by at limit 1)",
			);
			assert.equal(rowCount, 1);
			// What the process still remembers must not hide it.
			await kill(cluster.one("groups"), 0);
		});
		assert.equal(report.verdict.lost.length, 1, report.broken.join("\n"));
		assert.ok(report.verdict.gaps.length >= 1, report.broken.join("\n"));
	});

	test("a fact that is missing from an inbox is said to have had no effect", async () => {
		const report = await trial.phase("a fact is gone", async ({ servedAgain }) => {
			await servedAgain();
			const { rowCount } = await database.query(
				"delete from gamification.inbox where fact_id = (select fact_id from gamification.inbox where handled_at is not null order by position desc limit 1)",
			);
			assert.equal(rowCount, 1);
		});
		assert.ok(
			report.broken.some((what) => /the fact of message .* was told 1 times and taken 0 times/.test(what)),
			report.broken.join("\n"),
		);
	});
});
