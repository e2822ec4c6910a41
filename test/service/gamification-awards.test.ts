// Awards for messages: caps, levels, and what is told of them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { LocalCarrier } from "../../mixins/facts/carrier.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import { factsOf, tellFacts } from "../../mixins/facts/index.ts";
import { receive, workInbox } from "../../mixins/facts/inbox.ts";
import { relayOnce } from "../../mixins/facts/relay.ts";
import { database } from "../../mixins/postgres.ts";
import { awards } from "../../services/gamification/awards.ts";
import service from "../../services/gamification/gamification.service.ts";
import { eventually } from "../support/eventually.ts";
import { idle, ledgerHouse, messages, posted } from "../support/ledger-house.ts";

const { db, hear, told, balance } = await ledgerHouse();

describe("awards", () => {
	test("a message pays its sender 5 XP, and the world hears of it", async () => {
		const ada = randomUUID();
		const fact = posted(ada);
		await hear([fact]);
		assert.equal(await balance(ada), 5);
		const { messageId } = fact.payload as { messageId: string };
		assert.deepEqual(await told(), [
			{
				type: "gamification.points.awarded",
				aggregate: ada,
				requestId: `request of ${messageId}`,
				actor: ada,
				payload: { profileId: ada, currency: "xp", amount: 5, reason: "message-posted", source: messageId, total: 5 },
			},
		]);
	});

	test("a level is told right after the payment that reached it", async () => {
		const ada = randomUUID();
		await hear(messages(11, ada));
		const facts = await told();
		assert.deepEqual(
			facts.map(({ type, payload }) =>
				type === "gamification.level.reached" ? `level ${payload.level} after ${payload.previous}` : payload.total,
			),
			[5, 10, 15, 20, 25, "level 1 after 0", 30, 35, 40, 45, 50, "level 2 after 1", 55],
		);
		assert.ok(facts.every(({ aggregate }) => aggregate === ada));
	});

	test("hundreds of facts cost four statements", async () => {
		const people = Array.from({ length: 50 }, () => randomUUID());
		const facts = people.flatMap((profileId) => messages(10, profileId));
		let statements = 0;
		await db.tx((tx) =>
			awards.handle(
				facts,
				{
					...tx,
					query: (...args) => {
						statements++;
						return tx.query(...args);
					},
				},
				{ broker: idle },
			),
		);
		assert.equal(statements, 4);
		for (const profileId of people) assert.equal(await balance(profileId), 50);
	});

	test("a day pays 100 XP at most, in one portion or in many", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		await hear(messages(150, ada));
		for (let i = 0; i < 25; i++) await hear([posted(bob)]);
		assert.equal(await balance(ada), 100);
		assert.equal(await balance(bob), 100);
	});

	test("the next day pays again, by UTC, and facts of the past count for their own day", async () => {
		const ada = randomUUID();
		await hear(messages(30, ada, "2026-03-02T00:00:00.000Z"));
		await hear(messages(30, ada, "2026-03-01T23:59:59.999Z"));
		await hear(messages(30, ada, "2026-03-02T23:59:59.999Z"));
		assert.equal(await balance(ada), 200);
	});

	test("a fact heard twice pays once", async () => {
		const ada = randomUUID();
		const fact = posted(ada);
		await hear([fact]);
		await hear([fact]);
		// The same message by another way, as when facts are told again over a new carrier.
		await hear([{ ...fact, id: randomUUID() }]);
		await hear([
			{ ...fact, id: randomUUID() },
			{ ...fact, id: randomUUID() },
		]);
		assert.equal(await balance(ada), 5);
		assert.equal((await told()).length, 1);
	});

	test("portions of several processes at once pay everybody once, up to the cap", async () => {
		const people = Array.from({ length: 5 }, () => randomUUID());
		await receive(
			db,
			{ "gamification-awards": awards },
			people.flatMap((profileId) => messages(60, profileId)),
		);
		const engine = async () => {
			for (let next: number | null = 0; next !== null; ) next = await workInbox(db, "gamification-awards", awards, idle, () => {});
		};
		await Promise.all([engine(), engine(), engine()]);
		for (const profileId of people) assert.equal(await balance(profileId), 100);
	});

	test("a message told by groups is paid by the running node", async () => {
		const ada = randomUUID();
		const broker = new ServiceBroker({ logger: false, skipProcessEventRegistration: true });
		broker.createService({ name: "groups", mixins: [factsOf("groups")] });
		broker.createService(service);
		await broker.start();
		try {
			const { id: _id, version: _version, at: _at, requestId, actor, ...fact } = posted(ada);
			await database("groups").tx((tx) =>
				tellFacts(tx, { requestId, actor }, [{ type: "groups.message.posted", aggregate: fact.aggregate, payload: fact.payload as never }]),
			);
			await eventually(async () => assert.equal(await balance(ada), 5));
		} finally {
			await broker.stop();
		}
	});

	test("what the node tells can be carried on: its facts are whole", async () => {
		const ada = randomUUID();
		await hear(messages(5, ada));
		const carried: AnyFact[] = [];
		const carrier = new LocalCarrier();
		carrier.register(
			"anybody",
			"ears",
			new Set(["gamification.points.awarded", "gamification.level.reached"]),
			async (facts) => void carried.push(...facts),
		);
		while ((await relayOnce(db, "gamification", carrier)) !== null);
		assert.equal(carried.length, 6);
		assert.partialDeepStrictEqual(carried.at(-1), {
			type: "gamification.level.reached",
			version: 1,
			aggregate: ada,
			payload: { profileId: ada, level: 1, previous: 0 },
		});
	});
});
