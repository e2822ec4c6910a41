// Presence in a real Redis, answered by two processes at once: the same as in memory, and true again soon after anything fails.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { redisOf } from "../../mixins/redis/redis.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import type { PresenceHouse } from "../support/presence-house.ts";
import { presenceHouse, testDoor } from "../support/presence-house.ts";
import { presenceSuite } from "../support/presence-suite.ts";
import type { Server } from "../support/servers.ts";
import { needs, redisServer } from "../support/servers.ts";

/** Three times what is promised. */
const SOON = 15_000;

describe("presence on Redis", { skip: needs("redis-server") }, () => {
	let db: FreshDatabase;
	let redis: Server;
	let houses: PresenceHouse[] = [];
	const start = async () => {
		houses = await Promise.all([1, 2].map(() => presenceHouse({ REDIS_URL: redis.url })));
		await eventually(() => assert.ok(houses.every(({ broker }) => redisOf(broker)?.usable)));
		await eventually(async () => assert.equal(await here().statusOf(randomUUID()), "offline"));
	};
	const stop = () => Promise.all(houses.map((house) => house.stop()));
	before(async () => {
		[db, redis] = await Promise.all([testDatabase(["presence"]), redisServer()]);
		await start();
	});
	after(async () => {
		await stop();
		await redis?.stop();
		await db?.close();
	});

	const [here, there] = [() => houses[0] as PresenceHouse, () => houses[1] as PresenceHouse];
	const doors = () => houses;
	const told = (id: string) =>
		houses
			.flatMap(({ signals }) => signals)
			.sort((a, b) => a.number - b.number)
			.flatMap(({ profiles }) => profiles.filter(({ profileId }) => profileId === id).map(({ status }) => status));
	/** A door that says once in a while that it lives, until it is told to stop. */
	const livingDoor = async () => {
		const door = await testDoor(doors);
		const timer = setInterval(async () => {
			const known = await door.report().then(
				(heard) => heard.known,
				() => true,
			);
			if (!known) await door.begin().catch(() => {});
		}, 300);
		timer.unref();
		return { ...door, die: () => clearInterval(timer) };
	};

	presenceSuite(
		"kept by two processes",
		() => houses,
		async () => {
			await stop();
			await start();
		},
	);

	test("a door that falls silent is gone within 5 s, those who are elsewhere stay", async () => {
		const [gone, stays] = [await livingDoor(), await livingDoor()];
		const [ana, both] = [randomUUID(), randomUUID()];
		await gone.open(ana);
		await gone.open(both);
		await stays.open(both);
		await eventually(() => assert.deepEqual([ana, both].map(told), [["online"], ["online"]]));
		gone.die();
		await eventually(() => assert.deepEqual(told(ana), ["online", "offline"]), SOON);
		assert.deepEqual(told(both), ["online"]);
		assert.equal((await gone.report()).known, false, "if it lives after all, it has to begin anew");
		stays.die();
	});

	test("nobody is taken for dead because nobody was there to hear them", async () => {
		const door = await testDoor(doors);
		const ana = randomUUID();
		await door.open(ana);
		await eventually(() => assert.deepEqual(told(ana), ["online"]));
		await stop();
		// As if the processes had been away for a minute, and the door had not been heard for as long.
		await start();
		const client = redisOf(here().broker)?.client;
		for (const key of ["presence:watched", "presence:watching"]) await client?.decrby(key, 60_000);
		await client?.zincrby("presence:doors", -60_000, door.instance);
		await eventually(async () => assert.ok(Number(await client?.get("presence:watching")) > Date.now() - 30_000));
		assert.equal((await door.report()).known, true);
		assert.equal(await there().statusOf(ana), "online");
	});

	test("a flush heals by itself, without a word to anybody", async () => {
		const door = await livingDoor();
		const people = Array.from({ length: 30 }, () => randomUUID());
		for (const id of people) await door.open(id);
		await eventually(() => assert.ok(people.every((id) => told(id).length === 1)));
		await redisOf(here().broker)?.client.flushall();
		const meanwhile = new Set<string>();
		await eventually(async () => {
			const statuses = (await there().lookup(...people)).map(({ status }) => status);
			for (const status of statuses) meanwhile.add(status);
			assert.ok(statuses.every((status) => status === "online"));
		}, SOON);
		assert.ok(!meanwhile.has("offline"), "they were unknown, at most");
		for (const id of people.slice(0, 5)) for (const [socket, owner] of door.sockets) if (owner === id) await door.close(socket);
		await eventually(() => assert.ok(people.slice(0, 5).every((id) => told(id).at(-1) === "offline")));
		assert.ok(people.slice(5).every((id) => told(id).at(-1) === "online"));
		door.die();
	});

	test("after a flush it is known again what people look at, without their saying it", async () => {
		const door = await livingDoor();
		const [ana, room] = [randomUUID(), `group:${randomUUID()}`];
		const socket = await door.open(ana);
		await here().focus(socket, ana, room);
		door.looks.set(socket, room);
		await redisOf(here().broker)?.client.flushall();
		assert.deepEqual(await there().looking({ profileId: ana, room }), [false]);
		await eventually(async () => assert.deepEqual(await there().looking({ profileId: ana, room }), [true]), SOON);
		door.die();
	});

	test("while Redis is away or stalls nobody knows anything, and says so; it is right again when it is back", async () => {
		const door = await livingDoor();
		const [ana, ben] = [randomUUID(), randomUUID()];
		const socket = await door.open(ana);
		const restarts = [() => redis.stop("SIGKILL"), () => redis.start(), () => redis.pause(), () => redis.resume()] as const;
		for (const [away, back] of [restarts.slice(0, 2), restarts.slice(2)] as [() => unknown, () => unknown][]) {
			await away();
			await eventually(async () => assert.equal(await here().statusOf(ana), "unknown"));
			const began = performance.now();
			assert.deepEqual(await here().lookup(ben), [{ profileId: ben, status: "unknown", lastSeen: null }]);
			await assert.rejects(here().set(socket, ana, "away"), (error) => isProblem(error, "unavailable"));
			assert.ok(performance.now() - began < 500, "and does so at once");
			await back();
			for (const house of houses) await eventually(async () => assert.equal(await house.statusOf(ana), "online"), SOON);
		}
		await here().set(socket, ana, "away");
		await eventually(() => assert.equal(told(ana).at(-1), "away"));
		door.die();
	});

	test("what a process took on itself to tell, and did not, another tells", async () => {
		const door = await livingDoor();
		const ana = randomUUID();
		const client = redisOf(here().broker)?.client;
		// As a process leaves it that dies between taking the news and telling it.
		await client?.hset(`presence:person:${ana}`, { said: "online", cameAt: Date.now() });
		await client?.sadd(`presence:sockets:${ana}`, "s");
		await client?.zadd("presence:telling", Date.now() + 500, ana);
		await eventually(() => assert.deepEqual(told(ana), ["online"]));
		door.die();
	});
});
