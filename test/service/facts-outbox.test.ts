// Facts in the transaction that tells them: nothing lost, nothing early.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { AnyFact } from "../../services/contracts/index.ts";
import { tellEach, tellFacts } from "../../mixins/facts/index.ts";
import { makePartitions, unsentCount } from "../../mixins/facts/outbox.ts";
import { carry, cause, hearing, posted, tell, work } from "../support/facts.ts";
import { factsHouse } from "../support/facts-house.ts";

const { teller, hearer, inInbox } = await factsHouse();

describe("the outbox", () => {
	test("tells nothing of a transaction that was rolled back", async () => {
		const consumers = { ears: hearing("ears") };
		await assert.rejects(
			teller.tx(async (tx) => {
				await tellFacts(tx, cause, [posted("g", 1)]);
				throw new Error("changed my mind");
			}),
			/changed my mind/,
		);
		await carry(consumers);
		assert.equal(await unsentCount(teller), 0);
		assert.deepEqual(await inInbox("g"), []);
	});

	test("does not skip a transaction that commits late", async () => {
		const consumers = { ears: hearing("ears") };
		const told = Promise.withResolvers<void>();
		const commit = Promise.withResolvers<void>();
		const late = teller.tx(async (tx) => {
			await tellFacts(tx, cause, [posted("late", 1)]);
			told.resolve();
			await commit.promise;
		});
		await told.promise;
		await tell("early", 1);
		await carry(consumers);
		assert.deepEqual(await inInbox("early"), [1]);
		assert.deepEqual(await inInbox("late"), []);
		commit.resolve();
		await late;
		await carry(consumers);
		assert.deepEqual(await inInbox("late"), [1]);
	});

	test("keeps what was carried, and marks it", async () => {
		await tell("g", 1, 3);
		await carry({ ears: hearing("ears") });
		const rows = await teller.query<{ sent: boolean }>("select sent_at is not null as sent from outbox");
		assert.deepEqual(rows, [{ sent: true }, { sent: true }, { sent: true }]);
	});

	test("what was written to the microsecond is marked too", async () => {
		await tell("g", 1);
		await teller.query("update outbox set at = date_trunc('milliseconds', at) + interval '999 microseconds'");
		await carry({ ears: hearing("ears") });
		assert.equal(await unsentCount(teller), 0);
	});

	test("a fact arrives whole: name, version, time, cause and payload", async () => {
		const fact = posted("g", 7);
		await teller.tx((tx) => tellFacts(tx, cause, [fact]));
		const heard: AnyFact[] = [];
		const ears = hearing("ears", { before: (facts) => void heard.push(...facts) });
		await carry({ ears });
		await work("ears", ears);
		const [{ id, at, ...rest }] = heard as [AnyFact];
		assert.match(id, /^[0-9a-f-]{14}7/);
		assert.equal(new Date(at).toISOString(), at);
		assert.partialDeepStrictEqual(rest, {
			type: "groups.message.posted",
			version: 1,
			aggregate: "g",
			requestId: cause.requestId,
			actor: cause.actor,
			payload: fact.payload,
		});
	});

	test("what a consumer tells in one go keeps the cause of each", async () => {
		const other = { requestId: "another", actor: randomUUID() };
		await teller.tx((tx) =>
			tellEach(tx, [
				{ ...posted("g", 1), cause },
				{ ...posted("g", 2), cause: other },
			]),
		);
		const rows = await teller.query('select request_id as "requestId", actor from outbox order by id');
		assert.deepEqual(rows, [cause, other]);
	});

	test("a month's rows get a partition of their own, also when two processes make it at once", async () => {
		const month = new Date("2031-05-17T00:00:00Z");
		await Promise.all([makePartitions(teller, month), makePartitions(teller, month), makePartitions(hearer, month)]);
		const rows = await teller.query<{ relname: string }>(
			"select relname from pg_class where relname in ('outbox_2031_05', 'outbox_2031_06', 'outbox_2031_07') and relnamespace = 'groups'::regnamespace order by 1",
		);
		assert.deepEqual(
			rows.map(({ relname }) => relname),
			["outbox_2031_05", "outbox_2031_06", "outbox_2031_07"],
		);
	});

	test("facts are told also in a month without a partition, and its partition is not made over them", async () => {
		await teller.query(
			"insert into outbox (fact_id, type, version, aggregate, at, payload) select fact, 'groups.message.posted', 1, 'g', '2040-01-15', '{\"seq\": 1}' from gen_random_uuid() as fact",
		);
		await makePartitions(teller, new Date("2039-12-01T00:00:00Z"));
		await carry({ ears: hearing("ears") });
		assert.deepEqual(await inInbox("g"), [1]);
		assert.equal(await unsentCount(teller), 0);
	});
});
