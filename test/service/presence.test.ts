// The presence node on a real database: who is here and was here, and each profile's own room, fed by facts.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { AnyFact } from "../../services/contracts/index.ts";
import { carrierOf, LocalCarrier } from "../../mixins/facts/carrier.ts";
import { callAction } from "../../mixins/call.ts";
import { roomBus } from "../../mixins/rooms.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import type { PresenceHouse } from "../support/presence-house.ts";
import { presenceHouse } from "../support/presence-house.ts";
import { presenceSuite } from "../support/presence-suite.ts";

let db: FreshDatabase;
let house: PresenceHouse;

before(async () => {
	db = await testDatabase(["presence"]);
	house = await presenceHouse();
});
after(async () => {
	await house?.stop();
	await db?.close();
});

presenceSuite(
	"presence in memory",
	() => [house],
	async () => {
		await house.stop();
		house = await presenceHouse();
	},
);

describe("a profile's own room", () => {
	const awarded = (profileId: string, total: number, currency = "xp"): AnyFact =>
		({
			id: randomUUID(),
			type: "gamification.points.awarded",
			version: 1,
			at: new Date().toISOString(),
			aggregate: profileId,
			requestId: null,
			actor: null,
			payload: { profileId, currency, amount: 5, reason: "message", source: "groups.message.posted", total },
		}) as AnyFact;
	const reached = (profileId: string, level: number): AnyFact =>
		({
			...awarded(profileId, 0),
			id: randomUUID(),
			type: "gamification.level.reached",
			payload: { profileId, level, previous: level - 1 },
		}) as AnyFact;
	const openRoom = (key: string, profileId: string, after?: number, limit = 500) =>
		callAction(house.broker, "notifications.openRoom", { key, after, limit }, house.as(profileId));

	test("is fed by facts, numbered without a gap, said to the bus, and hears each fact once", async () => {
		const ana = randomUUID();
		const heard: number[] = [];
		const { close } = roomBus(house.broker).subscribe(`profile:${ana}`, {
			frame: ({ events }) => void heard.push(...events.map(({ seq }) => seq)),
			signal() {},
			evict() {},
			head() {},
		});
		assert.deepEqual(await openRoom(ana, ana, 0), { room: `profile:${ana}`, head: 0, events: [] });
		const facts = [awarded(ana, 5), awarded(ana, 1, "coins"), awarded(ana, 10), reached(ana, 1)];
		const carrier = carrierOf(house.broker);
		assert.ok(carrier instanceof LocalCarrier);
		await carrier.bring(facts);
		// The coins and the level are told in the inbox besides, by another consumer: wherever that comes, there is no gap.
		await eventually(async () => assert.equal((await openRoom(ana, ana)).head, 5));
		await carrier.bring([...facts, awarded(ana, 15)]);
		await eventually(async () => assert.equal((await openRoom(ana, ana)).head, 6));
		const { events } = await openRoom(ana, ana, 0);
		assert.deepEqual(
			events.map(({ seq }) => seq),
			[1, 2, 3, 4, 5, 6],
		);
		assert.deepEqual(
			events.filter(({ type }) => type !== "notification").map(({ room, at, by, seq, ...event }) => event),
			[
				{ type: "xp", amount: 5, reason: "message", source: "groups.message.posted", total: 5 },
				{ type: "xp", amount: 5, reason: "message", source: "groups.message.posted", total: 10 },
				{ type: "level", level: 1, previous: 0 },
				{ type: "xp", amount: 5, reason: "message", source: "groups.message.posted", total: 15 },
			],
		);
		await eventually(() => assert.deepEqual(heard, [1, 2, 3, 4, 5, 6]));
		close();
		const page = await openRoom(ana, ana, 1, 2);
		assert.deepEqual([page.head, page.events.map(({ seq }) => seq), page.more], [6, [2, 3], true]);
	});

	test("is nobody else's, and refuses a seq beyond its end", async () => {
		const ana = randomUUID();
		await assert.rejects(openRoom(ana, randomUUID(), 0), (error) => isProblem(error, "not-found"));
		await assert.rejects(openRoom(ana, ana, 1), (error) => isProblem(error, "seq-ahead") && error.data.head === 0);
	});
});
