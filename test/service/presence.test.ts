// The presence node on a real database: who is here and was here, and each profile's own room, fed by facts.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import type { AnyFact } from "../../mixins/facts/index.ts";
import { carrierOf } from "../../mixins/facts/carrier.ts";
import { callAction } from "../../mixins/node.ts";
import { roomBus } from "../../mixins/rooms.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { PresenceEntry } from "../../services/contracts/presence.ts";
import notifications from "../../services/presence/notifications.service.ts";
import presence from "../../services/presence/presence.service.ts";
import type { FreshDatabase } from "../support/database.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

let db: FreshDatabase;
let broker: ServiceBroker;
let changes: PresenceEntry[][];

async function start(): Promise<void> {
	const env = readEnv({ NODE_ENV: "test", DATA_DIR: "/nonexistent", SECRET_KEY: TEST_SECRET_KEY, LOG_LEVEL: "fatal" });
	broker = new ServiceBroker(brokerOptions(env));
	provideSettings(broker, env);
	changes = [];
	for (const schema of [presence, notifications]) broker.createService(schema);
	broker.createService({
		name: "door",
		events: {
			"presence.changed": { handler: ({ params }: { params: { profiles: PresenceEntry[] } }) => void changes.push(params.profiles) },
		},
	});
	await broker.start();
}

before(async () => {
	db = await testDatabase(["presence"]);
	await start();
});
after(async () => {
	await broker?.stop();
	await db?.close();
});

const as = (profileId: string) => ({
	meta: { principal: { accountId: profileId, profileId, displayName: "Ana", sessionId: profileId, roles: [], scopes: [] } },
});
const connected = (connectionId: string, profileId: string) => callAction(broker, "presence.connected", { connectionId, profileId });
const disconnected = (connectionId: string, profileId: string) => callAction(broker, "presence.disconnected", { connectionId, profileId });
const lookup = async (...ids: string[]) => (await callAction(broker, "presence.lookup", { ids }, as(randomUUID()))).data;
const statusOf = async (id: string) => (await lookup(id))[0]?.status;

describe("presence", () => {
	test("answers in the order asked; people who come and go are told once each, and remembered", async () => {
		const [ana, ben] = [randomUUID(), randomUUID()];
		await connected("1", ana);
		assert.deepEqual(await lookup(ben, ana, ben), [
			{ profileId: ben, status: "offline", lastSeen: null },
			{ profileId: ana, status: "online", lastSeen: null },
			{ profileId: ben, status: "offline", lastSeen: null },
		]);
		await connected("2", ana);
		await disconnected("1", ana);
		await disconnected("2", ana);
		assert.equal(await statusOf(ana), "online", "within the grace");
		const [entry] = await eventually(async () => {
			const entries = await lookup(ana);
			assert.equal(entries[0]?.status, "offline");
			assert.ok(entries[0]?.lastSeen);
			return entries;
		});
		await eventually(() =>
			assert.deepEqual(
				changes.flat().filter(({ profileId }) => profileId === ana),
				[{ profileId: ana, status: "online", lastSeen: null }, entry],
			),
		);
	});

	test("who hides is offline with no time, also after a restart", async () => {
		const ana = randomUUID();
		await connected("3", ana);
		await callAction(broker, "presence.set", { connectionId: "3", status: "hidden" }, as(ana));
		await assert.rejects(callAction(broker, "presence.set", { connectionId: "3", status: "online" }, as(randomUUID())), (error) =>
			isProblem(error, "not-found"),
		);
		assert.deepEqual(await lookup(ana), [{ profileId: ana, status: "offline", lastSeen: null }]);
		await broker.stop();
		await start();
		assert.deepEqual(await lookup(ana), [{ profileId: ana, status: "offline", lastSeen: null }]);
		await connected("4", ana);
		assert.equal(await statusOf(ana), "offline");
		await callAction(broker, "presence.set", { connectionId: "4", status: "online" }, as(ana));
		assert.equal(await statusOf(ana), "online");
	});

	test("who was here when the process ended is remembered", async () => {
		const ana = randomUUID();
		await connected("5", ana);
		await broker.stop();
		await start();
		const [entry] = await lookup(ana);
		assert.equal(entry?.status, "offline");
		assert.ok(entry?.lastSeen);
	});
});

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
		callAction(broker, "notifications.openRoom", { key, after, limit }, as(profileId));

	test("is fed by facts, numbered without a gap, said to the bus, and hears each fact once", async () => {
		const ana = randomUUID();
		const heard: number[] = [];
		const { close } = roomBus(broker).subscribe(`profile:${ana}`, {
			frame: ({ events }) => void heard.push(...events.map(({ seq }) => seq)),
			signal() {},
			evict() {},
			head() {},
		});
		assert.deepEqual(await openRoom(ana, ana, 0), { room: `profile:${ana}`, head: 0, events: [] });
		const facts = [awarded(ana, 5), awarded(ana, 1, "coins"), awarded(ana, 10), reached(ana, 1)];
		await carrierOf(broker).deliver(facts);
		await eventually(async () => assert.equal((await openRoom(ana, ana)).head, 3));
		await carrierOf(broker).deliver([...facts, awarded(ana, 15)]);
		await eventually(async () => assert.equal((await openRoom(ana, ana)).head, 4));
		const { events } = await openRoom(ana, ana, 0);
		assert.deepEqual(
			events.map(({ room, at, by, ...event }) => event),
			[
				{ seq: 1, type: "xp", amount: 5, reason: "message", source: "groups.message.posted", total: 5 },
				{ seq: 2, type: "xp", amount: 5, reason: "message", source: "groups.message.posted", total: 10 },
				{ seq: 3, type: "level", level: 1, previous: 0 },
				{ seq: 4, type: "xp", amount: 5, reason: "message", source: "groups.message.posted", total: 15 },
			],
		);
		await eventually(() => assert.deepEqual(heard, [1, 2, 3, 4]));
		close();
		const page = await openRoom(ana, ana, 1, 2);
		assert.deepEqual([page.head, page.events.map(({ seq }) => seq), page.more], [4, [2, 3], true]);
	});

	test("is nobody else's, and refuses a seq beyond its end", async () => {
		const ana = randomUUID();
		await assert.rejects(openRoom(ana, randomUUID(), 0), (error) => isProblem(error, "not-found"));
		await assert.rejects(openRoom(ana, ana, 1), (error) => isProblem(error, "seq-ahead") && error.data.head === 0);
	});
});
