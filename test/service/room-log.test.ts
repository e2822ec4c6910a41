// The numbered log of a room: gapless pages at any depth, memory that says what the store says, and the fence.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ServiceBroker } from "moleculer";
import type { Decision } from "../../mixins/actor.ts";
import { Actors } from "../../mixins/actor.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import { CLIENT_ID, FENCE, PostgresLog } from "../../mixins/log-carrier.ts";
import type { NewEvent } from "../../mixins/log-carrier.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import type { RoomFrame } from "../../mixins/rooms.ts";
import { roomBus } from "../../mixins/rooms.ts";
import type { LogEvent } from "../../services/contracts/groups.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { upTo } from "../support/facts.ts";

let fresh: FreshDatabase;
let db: Db;

before(async () => {
	fresh = await testDatabase(["groups"]);
	db = database("groups");
});
after(() => fresh.close());

/** A log as one process has it: memory and bus of its own, the store shared. */
function logOfProcess() {
	const broker = new ServiceBroker({ logger: false });
	return { broker, log: new RoomLog(new PostgresLog(db), "group", broker) };
}

const ada = randomUUID();

const event = (room: string, seq: number, clientId = `client ${seq}`, sender = ada): NewEvent => {
	const id = randomUUID();
	return {
		room,
		seq,
		id,
		type: "message",
		at: "2026-03-01T12:00:00.000Z",
		sender,
		senderName: "Ada",
		clientId,
		body: { message: { id, clientId, kind: "text", content: `message ${seq}` } },
	};
};
const events = (room: string, from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => event(room, from + i));
const append = (log: RoomLog, rows: NewEvent[]) => log.carrier.append(rows.map((row) => ({ event: row, facts: [], deeds: [] })));
/** Appends and tells, as the owner of a room does. */
async function say(log: RoomLog, rows: NewEvent[]): Promise<void> {
	await append(log, rows);
	log.publish(
		rows[0]?.room as string,
		rows.map((row) => log.toEvent(row)),
	);
}
const seqs = (page: LogEvent[]) => page.map(({ seq }) => seq);
const fromTo = (from: number, to: number) => upTo(to).slice(from - 1);

/** The constraint that refused. */
const refusedBy = (constraint: string) => (error: unknown) =>
	(error as { code?: string; constraint?: string }).code === "23505" && (error as { constraint?: string }).constraint === constraint;

describe("pages", () => {
	test("are gapless at any depth, and end where the log ends", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		await append(log, events(room, 1, 3_000));
		for (const after of [0, 1, 499, 1_500, 2_499]) assert.deepEqual(seqs(await log.page(room, after, 500)), fromTo(after + 1, after + 500));
		assert.deepEqual(seqs(await log.page(room, 2_900, 500)), fromTo(2_901, 3_000));
		assert.deepEqual(await log.page(room, 3_000, 500), []);
	});

	test("walked from the beginning, they are the whole log once", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		await append(log, events(room, 1, 1_037));
		const walked: number[] = [];
		for (;;) {
			const page = await log.page(room, walked.at(-1) ?? 0, 100);
			if (page.length === 0) break;
			walked.push(...seqs(page));
		}
		assert.deepEqual(walked, upTo(1_037));
	});

	test("hold one room's events only", async () => {
		const { log } = logOfProcess();
		const [one, other] = [randomUUID(), randomUUID()];
		await append(log, [event(one, 1), event(other, 1), event(one, 2)]);
		assert.deepEqual(
			(await log.page(one, 0, 10)).map(({ room, seq }) => ({ room, seq })),
			[
				{ room: `group:${one}`, seq: 1 },
				{ room: `group:${one}`, seq: 2 },
			],
		);
	});

	test("are found by the index, however long the log is", async () => {
		const room = randomUUID();
		await db.query(
			`insert into room_events (room, seq, id, type, at, body)
			select $1, n, gen_random_uuid(), 'message', '2026-03-01', '{}' from generate_series(1, 50000) as n`,
			[room],
		);
		await db.query("analyze room_events");
		const plan = await db.query<{ "QUERY PLAN": string }>(
			"explain select seq from room_events where room = $1 and seq > $2 order by seq limit 100",
			[room, 49_000],
		);
		assert.match(plan.map((row) => row["QUERY PLAN"]).join("\n"), /Index.* using room_events_pkey/);
		assert.deepEqual(seqs(await logOfProcess().log.page(room, 49_000, 100)), fromTo(49_001, 49_100));
	});
});

describe("memory", () => {
	test("answers exactly what the store answers, at every depth", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		for (let seq = 1; seq <= 700; seq += 7) await say(log, events(room, seq, seq + 6));
		for (let after = 0; after <= 700; after += 13)
			assert.deepEqual(await log.page(room, after, 50), await logOfProcess().log.page(room, after, 50));
	});

	test("a short absence costs no query", async () => {
		const room = randomUUID();
		const broker = new ServiceBroker({ logger: false });
		let queries = 0;
		const counting: Db = {
			...db,
			query: (...args) => {
				queries++;
				return db.query(...args);
			},
		};
		const log = new RoomLog(new PostgresLog(counting), "group", broker);
		await say(log, events(room, 1, 300));
		queries = 0;
		assert.deepEqual(seqs(await log.page(room, 290, 50)), fromTo(291, 300));
		assert.equal(queries, 0);
		log.forget(room);
		assert.deepEqual(seqs(await log.page(room, 290, 50)), fromTo(291, 300));
		assert.equal(queries, 1);
	});

	test("does not pass for the whole when another process has written too", async () => {
		const mine = logOfProcess().log;
		const theirs = logOfProcess().log;
		const room = randomUUID();
		await say(mine, events(room, 1, 10));
		await say(theirs, events(room, 11, 15));
		assert.deepEqual(seqs((await mine.opened(room, 15, 8, 100)).events), fromTo(9, 15));
		await say(mine, events(room, 16, 17));
		assert.deepEqual(seqs((await mine.opened(room, 17, 8, 100)).events), fromTo(9, 17));
		assert.deepEqual(seqs((await mine.opened(room, 17, 15, 100)).events), [16, 17]);
	});

	test("is bounded over all rooms", async () => {
		const { log } = logOfProcess();
		const rooms = Array.from({ length: 300 }, () => randomUUID());
		for (const room of rooms) {
			log.publish(
				room,
				events(room, 1, 500).map((row) => log.toEvent(row)),
			);
		}
		// Nothing of this was stored, so what answers is memory.
		const kept = await Promise.all(rooms.map(async (room) => (await log.page(room, 499, 1)).length));
		assert.equal(kept.at(0), 0);
		assert.equal(kept.at(-1), 1);
		assert.ok(kept.filter(Boolean).length <= 200);
	});
});

describe("opening a room", () => {
	test("without a seq answers where the log ends, and no events", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		await append(log, events(room, 1, 5));
		assert.deepEqual(await log.opened(room, 5, undefined, 500), { room: `group:${room}`, head: 5, events: [] });
	});

	test("says that there is more, until there is not", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		await append(log, events(room, 1, 12));
		const got: number[] = [];
		for (let more = true; more; ) {
			const opened = await log.opened(room, 12, got.at(-1) ?? 0, 5);
			got.push(...seqs(opened.events));
			more = opened.more === true;
		}
		assert.deepEqual(got, upTo(12));
	});

	test("heads are the last numbers, and 0 where nothing was said", async () => {
		const { log } = logOfProcess();
		const [full, empty] = [randomUUID(), randomUUID()];
		await append(log, events(full, 1, 4));
		assert.deepEqual(
			await log.carrier.heads([full, empty]),
			new Map([
				[full, 4],
				[empty, 0],
			]),
		);
	});
});

describe("telling the room", () => {
	test("what was committed together goes out together, as the log has it", async () => {
		const { broker, log } = logOfProcess();
		const room = randomUUID();
		const frames: RoomFrame[] = [];
		roomBus(broker).subscribe(`group:${room}`, {
			frame: (frame) => void frames.push(frame),
			signal: () => {},
			evict: () => {},
			head: () => {},
		});
		await say(log, events(room, 1, 3));
		await say(log, events(room, 4, 4));
		log.publish(room, []);
		assert.deepEqual(
			frames.map((frame) => seqs(frame.events)),
			[[1, 2, 3], [4]],
		);
		assert.deepEqual(
			frames.flatMap((frame) => frame.events),
			await logOfProcess().log.page(room, 0, 10),
		);
	});
});

describe("the fence", () => {
	test("refuses the second writer of a number, whoever it is", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		await append(log, [event(room, 1)]);
		await assert.rejects(append(log, [event(room, 1, "another", randomUUID())]), refusedBy(FENCE));
	});

	test("of two at once one writes, and the other one writes nothing", async () => {
		const room = randomUUID();
		const writes = await Promise.allSettled(
			Array.from({ length: 8 }, (_, i) => append(logOfProcess().log, [event(room, 1, `a ${i}`), event(room, 2, `b ${i}`)])),
		);
		assert.equal(writes.filter(({ status }) => status === "fulfilled").length, 1);
		for (const write of writes) if (write.status === "rejected") assert.ok(refusedBy(FENCE)(write.reason));
		assert.deepEqual(seqs(await logOfProcess().log.page(room, 0, 100)), [1, 2]);
	});

	test("refuses a client id that its sender has used, and nobody else's", async () => {
		const { log } = logOfProcess();
		const room = randomUUID();
		await append(log, [event(room, 1, "mine")]);
		await assert.rejects(append(log, [event(room, 2, "mine")]), refusedBy(CLIENT_ID));
		await append(log, [event(room, 2, "mine", randomUUID())]);
		await append(log, [event(randomUUID(), 1, "mine")]);
	});

	test("two owners of one room at once write one gapless log, each message once", async () => {
		const room = randomUUID();
		type Words = Decision<string, number>;
		const owner = () => {
			const { log } = logOfProcess();
			return new Actors<{ head: number }, string, Words>({
				load: async (key) => ({ head: (await log.carrier.heads([key])).get(key) ?? 0 }),
				head: (state) => state.head,
				commit: (batch) =>
					append(
						log,
						batch.flatMap(({ key, first, decisions }) =>
							decisions.flatMap(({ events: words }) => words).map((word, i) => event(key, first + i, word)),
						),
					),
				committed: ({ state, decisions }) => ({ head: state.head + decisions.length }),
				isConflict: refusedBy(FENCE),
			});
		};
		const owners = [owner(), owner()];
		/** Sends one after another, and again when it was refused: as a client does. */
		const client = async (name: string, actors: (typeof owners)[number]) => {
			const got: number[] = [];
			for (let n = 1; n <= 15; n++) {
				const send = (): Promise<number> =>
					actors
						.submit<number>(room, { decide: () => ({ events: [`${name} ${n}`], answer: ([seq]) => seq as number }) })
						.catch((error: unknown) => {
							assert.ok(refusedBy(FENCE)(error));
							return send();
						});
				got.push(await send());
			}
			return got;
		};
		const answered = (
			await Promise.all(["a", "b", "c", "d"].map((name, i) => client(name, owners[i % 2] as (typeof owners)[number])))
		).flat();
		assert.deepEqual(
			answered.toSorted((one, other) => one - other),
			upTo(60),
		);
		assert.deepEqual(seqs(await logOfProcess().log.page(room, 0, 100)), upTo(60));
	});
});
