// The ledger on its real database: awards for messages, caps, levels, what it tells, and what it refuses.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, mock, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { contracts } from "../../config/broker/contracts.ts";
import { LocalCarrier } from "../../mixins/facts/carrier.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import { factsOf, tellFacts } from "../../mixins/facts/index.ts";
import { receive, workInbox } from "../../mixins/facts/inbox.ts";
import { relayOnce } from "../../mixins/facts/relay.ts";
import { callAction } from "../../mixins/call.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import { sealsFor } from "../../mixins/principal.ts";
import type { ActionName, Answer, ParamsIn } from "../../services/contracts/index.ts";
import { isProblem, problem } from "../../services/contracts/errors.ts";
import { awards } from "../../services/gamification/awards.ts";
import { rules } from "../../services/gamification/domain/rules.ts";
import service from "../../services/gamification/gamification.service.ts";
import { pay } from "../../services/gamification/store.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

let fresh: FreshDatabase;
let db: Db;
const idle = new ServiceBroker({ logger: false });
const seals = sealsFor(Buffer.alloc(32, 1).toString("base64"));

before(async () => {
	fresh = await testDatabase(["groups", "gamification"]);
	db = database("gamification");
});
after(() => fresh.close());
beforeEach(async () => {
	mock.timers.reset();
	await db.query("truncate inbox, outbox");
});

/** A message of `senderId`, told at `at`. */
function posted(senderId: string, at = "2026-03-01T10:00:00.000Z", messageId: string = randomUUID()): AnyFact {
	const groupId = randomUUID();
	return {
		id: randomUUID(),
		type: "groups.message.posted",
		version: 1,
		at,
		aggregate: groupId,
		requestId: `request of ${messageId}`,
		actor: senderId,
		payload: { groupId, seq: 1, messageId, senderId, kind: "text", content: "Hello" },
	};
}
const messages = (count: number, senderId: string, at?: string) => Array.from({ length: count }, () => posted(senderId, at));

/** Facts arrive and are worked off; answers how many failed. */
async function hear(facts: AnyFact[]): Promise<number> {
	let failed = 0;
	await receive(db, { "gamification-awards": awards }, facts);
	for (let next: number | null = 0; next === 0; ) {
		next = await workInbox(db, "gamification-awards", awards, idle, (_fact, error) => {
			failed++;
			throw error;
		});
	}
	return failed;
}

/** What the node has told, oldest first. */
const told = () =>
	db.query<{ type: string; aggregate: string; requestId: string; actor: string; payload: Record<string, unknown> }>(
		'select type, aggregate, request_id as "requestId", actor, payload from outbox order by id',
	);

async function balance(profileId: string): Promise<number> {
	const [row] = await db.query<{ balance: number }>("select balance from accounts where owner = $1 and currency = 'xp'", [profileId]);
	return row?.balance ?? 0;
}

/** The node with its actions, as `profileId` sees it. Its neighbour is asked whether a profile exists. */
async function withNode(
	work: (ask: <A extends ActionName>(profileId: string, action: A, params: ParamsIn<A>) => Promise<Answer<A>>) => Promise<void>,
	nobody = randomUUID(),
): Promise<void> {
	const broker = new ServiceBroker({
		logger: false,
		validator: false,
		middlewares: [contracts({ checkAnswers: true, seals })],
		skipProcessEventRegistration: true,
	});
	broker.createService(service);
	broker.createService({
		name: "profiles",
		actions: {
			show: {
				visibility: "protected",
				handler: (ctx: { params: { profileId: string } }) => {
					if (ctx.params.profileId === nobody) throw problem("not-found");
					return { id: ctx.params.profileId, displayName: "Somebody", kind: "personal" };
				},
			},
		},
	});
	await broker.start();
	try {
		await work((profileId, action, params) =>
			callAction(broker, action, params, {
				meta: {
					principal: seals.seal(
						{
							accountId: randomUUID(),
							profileId,
							displayName: "Ada",
							sessionId: randomUUID(),
							roles: [],
							scopes: [],
						},
						Date.now() / 1000 + 600,
					),
				},
			}),
		);
	} finally {
		await broker.stop();
	}
}

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

describe("the ledger", () => {
	const transfer = (amounts: [string, number][], id = randomUUID()) =>
		db.query(
			`insert into entries (id, owner, counterpart, currency, amount, reason, source, at)
			select $1, owner, case owner when 'issuer' then 'somebody' else 'issuer' end, 'xp', amount, 'by-hand', $2, now()
			from json_to_recordset($3::json) as e(owner text, amount bigint)`,
			[id, randomUUID(), JSON.stringify(amounts.map(([owner, amount]) => ({ owner, amount })))],
		);
	const refusedWith = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

	test("refuses a leg without the other, and legs that do not make zero", async () => {
		const ada = randomUUID();
		await hear([posted(ada)]);
		await assert.rejects(transfer([[ada, 5]]), refusedWith("23514"));
		await assert.rejects(
			transfer([
				[ada, 5],
				["issuer", -4],
			]),
			refusedWith("23514"),
		);
		await assert.rejects(
			transfer([
				[ada, 0],
				["issuer", 0],
			]),
			refusedWith("23514"),
		);
		await transfer([
			[ada, 5],
			["issuer", -5],
		]);
		await db.query("update accounts set balance = balance + 5 where owner = $1", [ada]);
	});

	test("refuses an entry of nobody's account", async () => {
		await assert.rejects(
			transfer([
				[randomUUID(), 5],
				["issuer", -5],
			]),
			refusedWith("23503"),
		);
	});

	test("is append-only", async () => {
		await hear([posted(randomUUID())]);
		await assert.rejects(db.query("update entries set amount = amount * 2"), refusedWith("23001"));
		await assert.rejects(db.query("delete from entries"), refusedWith("23001"));
		await assert.rejects(db.query("truncate entries"), refusedWith("23001"));
	});

	test("pays nothing when one of the portion was paid meanwhile", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		const [first, second] = [posted(ada), posted(bob)];
		await hear([first]);
		const claims = [first, second].map((fact) => ({
			profileId: fact.actor as string,
			currency: "xp" as const,
			amount: 5,
			reason: "message-posted",
			source: (fact.payload as { messageId: string }).messageId,
			at: fact.at,
			fact: fact as never,
		}));
		await assert.rejects(
			db.tx((tx) => pay(tx, claims)),
			(error: unknown) => (error as { constraint?: string }).constraint === "entries_once",
		);
		assert.equal(await balance(ada), 5);
		assert.equal(await balance(bob), 0);
	});

	test("sums to zero in each currency, and a balance that is not its entries is found", async () => {
		const ada = randomUUID();
		await hear(messages(3, ada));
		await withNode(async (ask) => {
			const sound = await ask(ada, "gamification.checkLedgers", {});
			assert.equal(sound.ok, true);
			assert.deepEqual(
				sound.ledgers.map(({ currency, sum }) => ({ currency, sum })),
				[
					{ currency: "xp", sum: 0 },
					{ currency: "points", sum: 0 },
					{ currency: "coins", sum: 0 },
				],
			);
			const [count] = await db.query<{ count: number }>("select count(*) as count from entries");
			assert.equal(sound.ledgers[0]?.entries, count?.count);
			await db.query("update accounts set balance = balance + 1 where owner = $1", [ada]);
			assert.equal((await ask(ada, "gamification.checkLedgers", {})).ok, false);
			await db.query("update accounts set balance = balance - 1 where owner = $1", [ada]);
		});
	});
});

describe("what people see", () => {
	test("nobody was paid anything: everything is zero", async () => {
		await withNode(async (ask) => {
			const ada = randomUUID();
			assert.deepEqual(await ask(ada, "gamification.myPoints", {}), { xp: 0, level: 0, points: 0, coins: 0 });
			assert.deepEqual(await ask(ada, "gamification.transactions", {}), { data: [], nextCursor: null });
		});
	});

	test("one's own balances and level; of others only XP and level", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		await hear(messages(6, ada));
		await withNode(async (ask) => {
			assert.deepEqual(await ask(ada, "gamification.myPoints", {}), { xp: 30, level: 1, points: 0, coins: 0 });
			assert.deepEqual(await ask(bob, "gamification.pointsOf", { profileId: ada }), { xp: 30, level: 1 });
			assert.deepEqual(await ask(ada, "gamification.pointsOf", { profileId: bob }), { xp: 0, level: 0 });
		});
	});

	test("a profile that does not exist has no points", async () => {
		const nobody = randomUUID();
		await withNode(async (ask) => {
			await assert.rejects(ask(randomUUID(), "gamification.pointsOf", { profileId: nobody }), (error: unknown) =>
				isProblem(error, "not-found"),
			);
		}, nobody);
	});

	test("one's own entries, newest first, page by page, stable while more come in", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		const facts = messages(7, ada);
		await hear([...facts, posted(bob)]);
		await withNode(async (ask) => {
			const first = await ask(ada, "gamification.transactions", { limit: 3 });
			assert.equal(first.data.length, 3);
			await hear([posted(ada)]);
			const sources = first.data.map(({ source }) => source);
			for (let cursor = first.nextCursor; cursor; ) {
				const page = await ask(ada, "gamification.transactions", { limit: 3, cursor });
				sources.push(...page.data.map(({ source }) => source));
				cursor = page.nextCursor;
			}
			assert.deepEqual(sources, facts.map((fact) => (fact.payload as { messageId: string }).messageId).toReversed());
			assert.partialDeepStrictEqual(first.data[0], { currency: "xp", amount: 5, reason: "message-posted", at: "2026-03-01T10:00:00.000Z" });
		});
	});

	test("a cursor that no list gave out is refused", async () => {
		await withNode(async (ask) => {
			for (const cursor of ["x", "AAAA", Buffer.from("1 2").toString("base64url")]) {
				await assert.rejects(ask(randomUUID(), "gamification.transactions", { cursor }), (error: unknown) =>
					isProblem(error, "bad-cursor"),
				);
			}
		});
	});

	test("the rules that pay, without how they read a fact", async () => {
		await withNode(async (ask) => {
			const { data, nextCursor } = await ask(randomUUID(), "gamification.rules", {});
			const shown = rules.map(({ fact, currency, amount, dailyCap, who }) => ({ fact, currency, amount, dailyCap, who }));
			assert.deepEqual([data, nextCursor], [shown, null]);
			assert.ok(
				data.some(({ fact, amount }) => fact === "groups.message.posted" && amount === 5),
				"a message pays",
			);
		});
	});

	test("the node says how it is", async () => {
		await withNode(async (ask) => {
			assert.equal((await ask(randomUUID(), "gamification.health", {})).status, "ok");
		});
	});
});
