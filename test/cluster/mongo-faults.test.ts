// The log on MongoDB when something dies: the server in the middle of the load, a process between the two stores, PostgreSQL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isUnavailable } from "../../mixins/postgres.ts";
import type { Db } from "../../mixins/postgres.ts";
import { eventually } from "../support/eventually.ts";
import { upTo } from "../support/facts.ts";
import type { LogHouse, LogProcess } from "../support/log-house.ts";
import { ada, append, event, events, logsOnMongo, Owner, plain, row, told, toldInTime, toldOf } from "../support/log-house.ts";
import type { Server } from "../support/servers.ts";
import { mongoServer, needs } from "../support/servers.ts";

const away = Object.assign(new Error("The database does not answer."), { code: "database-unavailable" });

describe("the log on MongoDB, when something dies", { skip: needs("mongod") }, () => {
	let server: Server;
	let house: LogHouse;
	before(async () => {
		server = await mongoServer();
	});
	after(() => server.stop());
	// Each test its own: what one leaves in the log, the processes of another would bring on.
	beforeEach(async () => {
		house = await logsOnMongo(server.url);
	});
	afterEach(() => house.close());

	/** A way to PostgreSQL that can be cut. */
	const cuttable = (): { db: Db; cut: boolean } => {
		const door: { db: Db; cut: boolean } = {
			cut: false,
			db: {
				...house.db,
				query: async (...args: Parameters<Db["query"]>) => (door.cut ? Promise.reject(away) : house.db.query(...args)),
				tx: async (work: Parameters<Db["tx"]>[0]) => (door.cut ? Promise.reject(away) : house.db.tx(work)),
			} as Db,
		};
		return door;
	};

	/** The log of a room, held against what clients were told: each word once, where it was said to be, and each fact once. */
	async function check(
		room: string,
		{ carrier }: LogProcess,
		acknowledged: Map<string, number>,
		tried: ReadonlySet<string>,
	): Promise<void> {
		const stored = [];
		for (let page = await carrier.page(room, 0, 500); page.length > 0; page = await carrier.page(room, stored.length, 500))
			stored.push(...page);
		assert.deepEqual(
			stored.map(({ seq }) => seq),
			upTo(stored.length),
		);
		const places = new Map(stored.map(({ clientId, seq }) => [clientId as string, seq]));
		assert.equal(places.size, stored.length, "a word is there twice");
		for (const [word, seq] of acknowledged) assert.equal(places.get(word), seq, `${word} was acknowledged as ${seq}`);
		for (const word of places.keys()) assert.ok(tried.has(word), `${word} was never said`);
		assert.deepEqual(await toldInTime(house.db, room, stored.length), upTo(stored.length));
	}

	for (const [what, fault] of [
		[
			"killed and started again, twice",
			async () => {
				for (let times = 0; times < 2; times++) {
					await server.stop("SIGKILL");
					await server.start();
					await pause(300);
				}
			},
		],
		["restarted as its operators do it", () => server.restart()],
		[
			"frozen for longer than anybody waits",
			async () => {
				server.pause();
				await pause(5_000);
				server.resume();
			},
		],
	] as const) {
		test(`a server that is ${what} in the middle of the load loses nothing and doubles nothing`, async () => {
			const processes = await Promise.all([house.process(), house.process()]);
			const owners = processes.map(({ carrier }) => new Owner(carrier));
			const rooms: string[] = [randomUUID(), randomUUID()];
			const acknowledged = new Map(rooms.map((room) => [room, new Map<string, number>()]));
			const tried = new Set<string>();
			let over = false;
			/** Says one word after another; what nobody answered for it says again, to the other owner too, as clients do. */
			const client = async (name: string, room: string) => {
				for (let n = 1; !over; n++) {
					const word = `${name} ${n}`;
					tried.add(word);
					for (let attempt = 0; ; attempt++) {
						try {
							acknowledged.get(room)?.set(word, await (owners[attempt % 2] as Owner).say(room, ada, word));
							break;
						} catch (error) {
							const { constraint } = error as { constraint?: string };
							assert.ok(isUnavailable(error) || constraint, String(error));
						}
					}
				}
			};
			const load = Promise.all(upTo(8).map((n) => client(`client ${n}`, rooms[n % 2] as string)));
			const count = () => [...acknowledged.values()].reduce((sum, words) => sum + words.size, 0);
			await eventually(() => assert.ok(count() > 50));
			await fault();
			const before = count();
			await eventually(() => assert.ok(count() > before + 50), 15_000);
			over = true;
			await load;
			for (const room of rooms) await check(room, processes[0] as LogProcess, acknowledged.get(room) as Map<string, number>, tried);
		});
	}

	test("a process that dies between the two stores leaves nothing undone: whoever loads the group next does it, once", async () => {
		const door = cuttable();
		const [dying, next, another] = await Promise.all([house.process({ db: door.db }), house.process(), house.process()]);
		const room = randomUUID();
		const group = { name: "Repair", description: "", isPublic: true };
		await append(dying.carrier, [row(room, 1, { type: "group", action: "created", group })]);
		door.cut = true;
		const ben: string = randomUUID();
		await dying.carrier.append(events(room, 2, 3).map(told));
		const joined = {
			...plain(row(room, 4, { type: "member", action: "joined", profileId: ben, displayName: "Ben" })),
			facts: told(event(room, 4)).facts,
		};
		await assert.rejects(dying.carrier.append([joined]), isUnavailable);
		assert.equal((await house.db.query("select 1 from members where group_id = $1", [room])).length, 1);
		const states = await Promise.all([next, another, next, another].map(({ reads }) => reads.load(room)));
		for (const state of states) assert.deepEqual([state?.head, state?.members.get(ben)?.joinedSeq], [4, 4]);
		assert.deepEqual(await toldOf(house.db, room), [2, 3, 4]);
		const [{ count } = { count: 0 }] = await house.db.query<{ count: number }>("select member_count as count from groups where id = $1", [
			room,
		]);
		assert.equal(count, 2);
		// The one that was thought dead comes back, and does nothing of it again.
		door.cut = false;
		await dying.reads.load(room);
		await append(next.carrier, [event(room, 5)]);
		assert.deepEqual(await toldOf(house.db, room), [2, 3, 4]);
	});

	test("what a dead process has left is told by another one, though nobody asks for the room", async () => {
		const door = cuttable();
		door.cut = true;
		const dying = await house.process({ db: door.db });
		await house.process();
		const room = randomUUID();
		await dying.carrier.append(events(room, 1, 30).map(told));
		await dying.broker.stop();
		assert.deepEqual(await toldInTime(house.db, room, 30), upTo(30));
	});

	test("while PostgreSQL is away messages are taken, and what comes of them follows when it is back", async () => {
		const door = cuttable();
		const process = await house.process({ db: door.db });
		const room = randomUUID();
		await process.carrier.append([told(event(room, 1))]);
		await toldInTime(house.db, room, 1);
		door.cut = true;
		for (let seq = 2; seq <= 1_200; seq += 100) await process.carrier.append(events(room, seq, Math.min(seq + 99, 1_200)).map(told));
		assert.deepEqual(await toldOf(house.db, room), [1]);
		door.cut = false;
		assert.deepEqual(await toldInTime(house.db, room, 1_200), upTo(1_200));
	});

	test("a room of which something cannot be written holds up no other", async () => {
		const process = await house.process();
		const [bad, good] = [randomUUID(), randomUUID()];
		const impossible = row(bad, 1, { type: "member", action: "joined", profileId: randomUUID(), displayName: "Nobody's member" });
		await assert.rejects(process.carrier.append([plain(impossible)]));
		await process.carrier.append([told(event(good, 1)), told(event(bad, 2))]);
		await process.carrier.append([told(event(good, 2))]);
		assert.deepEqual(await toldInTime(house.db, good, 2), [1, 2]);
		assert.deepEqual(await toldOf(house.db, bad), []);
	});

	test("with the server away it is said in a few seconds that nobody knows, and afterwards all is well", async () => {
		const process = await house.process();
		const room = randomUUID();
		await append(process.carrier, [event(room, 1)]);
		await server.stop("SIGKILL");
		const asked = performance.now();
		await Promise.all([
			assert.rejects(append(process.carrier, events(room, 2, 3)), isUnavailable),
			assert.rejects(process.carrier.page(room, 0, 10), isUnavailable),
		]);
		assert.ok(performance.now() - asked < 10_000);
		await server.start();
		await append(process.carrier, events(room, 2, 3));
		assert.equal((await process.carrier.heads([room])).get(room), 3);
	});
});
