// What the numbered log of a room promises, on whichever carrier it is: gapless pages at any depth, memory that says what the
// store says, the fence, and that what comes of an event is done once and in order.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ServiceBroker } from "moleculer";
import type { LogCarrier, NewEvent } from "../../mixins/log-carrier.ts";
import { CLIENT_ID, FENCE } from "../../mixins/log-carrier.ts";
import { isTaken } from "../../mixins/idempotency.ts";
import { isUnavailable } from "../../mixins/postgres.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import type { RoomFrame } from "../../mixins/rooms.ts";
import { roomBus } from "../../mixins/rooms.ts";
import type { Deed } from "../../services/groups/store/projection.ts";
import { upTo } from "./facts.ts";
import type { LogHouse, LogProcess, Said } from "./log-house.ts";
import { ada, append, event, events, Owner, plain, row, told, toldInTime, toldOf } from "./log-house.ts";

/** Appends and tells, as the owner of a room does. */
async function say({ log, carrier }: Pick<LogProcess, "log" | "carrier">, rows: NewEvent[]): Promise<void> {
	await append(carrier, rows);
	log.publish(
		rows[0]?.room as string,
		rows.map((one) => log.toEvent(one)),
	);
}
const seqs = (page: { seq: number }[]) => page.map(({ seq }) => seq);
const fromTo = (from: number, to: number) => upTo(to).slice(from - 1);

/** The constraint that refused. */
const refusedBy = (constraint: string) => (error: unknown) => (error as { constraint?: string }).constraint === constraint;

export function logSuite(name: string, open: () => Promise<LogHouse>): void {
	describe(`the log on ${name}`, () => {
		let house: LogHouse;
		let mine: LogProcess;
		let theirs: LogProcess;
		before(async () => {
			house = await open();
			[mine, theirs] = await Promise.all([house.process(), house.process()]);
		});
		after(() => house.close());

		/** The same process, remembering nothing. */
		const forgetful = (carrier: LogCarrier<Deed> = mine.carrier) => new RoomLog(carrier, "group", new ServiceBroker({ logger: false }));

		describe("pages", () => {
			test("are gapless at any depth, and end where the log ends", async () => {
				const room = randomUUID();
				await append(mine.carrier, events(room, 1, 3_000));
				for (const from of [0, 1, 499, 1_500, 2_499])
					assert.deepEqual(seqs(await theirs.log.page(room, from, 500)), fromTo(from + 1, from + 500));
				assert.deepEqual(seqs(await theirs.log.page(room, 2_900, 500)), fromTo(2_901, 3_000));
				assert.deepEqual(await theirs.log.page(room, 3_000, 500), []);
			});

			test("walked from the beginning, they are the whole log once", async () => {
				const room = randomUUID();
				await append(mine.carrier, events(room, 1, 1_037));
				const walked: number[] = [];
				for (;;) {
					const page = await theirs.log.page(room, walked.at(-1) ?? 0, 100);
					if (page.length === 0) break;
					walked.push(...seqs(page));
				}
				assert.deepEqual(walked, upTo(1_037));
			});

			test("hold one room's events only, as they were appended", async () => {
				const [one, other] = [randomUUID(), randomUUID()];
				const rows = [event(one, 1), event(other, 1), event(one, 2)];
				await append(mine.carrier, rows);
				assert.deepEqual(
					await theirs.log.page(one, 0, 10),
					rows.filter(({ room }) => room === one).map((appended) => theirs.log.toEvent(appended)),
				);
			});
		});

		describe("memory", () => {
			test("answers exactly what the store answers, at every depth", async () => {
				const room = randomUUID();
				for (let seq = 1; seq <= 700; seq += 7) await say(mine, events(room, seq, seq + 6));
				const store = forgetful();
				for (let from = 0; from <= 700; from += 13) assert.deepEqual(await mine.log.page(room, from, 50), await store.page(room, from, 50));
			});

			test("a short absence asks the store nothing", async () => {
				const room = randomUUID();
				let asked = 0;
				const counting: LogCarrier<Deed> = {
					append: (entries) => mine.carrier.append(entries),
					isConflict: (error) => mine.carrier.isConflict(error),
					catchUp: (key) => mine.carrier.catchUp(key),
					heads: (rooms) => mine.carrier.heads(rooms),
					page(...args) {
						asked++;
						return mine.carrier.page(...args);
					},
					byClientId: (...args) => mine.carrier.byClientId(...args),
					messagesBy: (...args) => mine.carrier.messagesBy(...args),
					forgetPerson: (...args) => mine.carrier.forgetPerson(...args),
				};
				const log = forgetful(counting);
				await say({ log, carrier: counting }, events(room, 1, 300));
				assert.deepEqual(seqs(await log.page(room, 290, 50)), fromTo(291, 300));
				assert.equal(asked, 0);
				log.forget(room);
				assert.deepEqual(seqs(await log.page(room, 290, 50)), fromTo(291, 300));
				assert.equal(asked, 1);
			});

			test("does not pass for the whole when another process has written too", async () => {
				const room = randomUUID();
				await say(mine, events(room, 1, 10));
				await say(theirs, events(room, 11, 15));
				assert.deepEqual(seqs((await mine.log.opened(room, 15, 8, 100)).events), fromTo(9, 15));
				await say(mine, events(room, 16, 17));
				assert.deepEqual(seqs((await mine.log.opened(room, 17, 8, 100)).events), fromTo(9, 17));
				assert.deepEqual(seqs((await mine.log.opened(room, 17, 15, 100)).events), [16, 17]);
			});

			test("is bounded over all rooms", async () => {
				const log = forgetful();
				const rooms = Array.from({ length: 300 }, () => randomUUID());
				for (const room of rooms) {
					log.publish(
						room,
						events(room, 1, 500).map((one) => log.toEvent(one)),
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
				const room = randomUUID();
				await append(mine.carrier, events(room, 1, 5));
				assert.deepEqual(await mine.log.opened(room, 5, undefined, 500), { room: `group:${room}`, head: 5, events: [] });
			});

			test("says that there is more, until there is not", async () => {
				const room = randomUUID();
				await append(mine.carrier, events(room, 1, 12));
				const got: number[] = [];
				for (let more = true; more; ) {
					const opened = await mine.log.opened(room, 12, got.at(-1) ?? 0, 5);
					got.push(...seqs(opened.events));
					more = opened.more === true;
				}
				assert.deepEqual(got, upTo(12));
			});

			test("heads are the last numbers, and 0 where nothing was said", async () => {
				const [full, empty] = [randomUUID(), randomUUID()];
				await append(mine.carrier, events(full, 1, 4));
				assert.deepEqual(
					await theirs.carrier.heads([full, empty]),
					new Map([
						[full, 4],
						[empty, 0],
					]),
				);
			});
		});

		describe("telling the room", () => {
			test("what was committed together goes out together, as the log has it", async () => {
				const room = randomUUID();
				const frames: RoomFrame[] = [];
				roomBus(mine.broker).subscribe(`group:${room}`, {
					frame: (frame) => void frames.push(frame),
					signal: () => {},
					evict: () => {},
					head: () => {},
				});
				await say(mine, events(room, 1, 3));
				await say(mine, events(room, 4, 4));
				mine.log.publish(room, []);
				assert.deepEqual(
					frames.map((frame) => seqs(frame.events)),
					[[1, 2, 3], [4]],
				);
				assert.deepEqual(
					frames.flatMap((frame) => frame.events),
					await theirs.log.page(room, 0, 10),
				);
			});
		});

		describe("the fence", () => {
			test("refuses the second writer of a number, whoever it is", async () => {
				const room = randomUUID();
				await append(mine.carrier, [event(room, 1)]);
				await assert.rejects(append(theirs.carrier, [event(room, 1, "another", randomUUID())]), refusedBy(FENCE));
			});

			test("of several at once one writes, and the others write nothing", async () => {
				const room = randomUUID();
				const writes = await Promise.allSettled(
					Array.from({ length: 8 }, (_, i) =>
						append((i % 2 ? mine : theirs).carrier, [event(room, 1, `a ${i}`), event(room, 2, `b ${i}`), event(randomUUID(), 1)]),
					),
				);
				assert.equal(writes.filter(({ status }) => status === "fulfilled").length, 1);
				for (const write of writes) if (write.status === "rejected") assert.ok(refusedBy(FENCE)(write.reason), String(write.reason));
				assert.deepEqual(seqs(await theirs.log.page(room, 0, 100)), [1, 2]);
			});

			test("refuses a client id that its sender has used, and nobody else's", async () => {
				const room = randomUUID();
				await append(mine.carrier, [event(room, 1, "mine")]);
				await assert.rejects(append(theirs.carrier, [event(room, 2, "mine")]), refusedBy(CLIENT_ID));
				await append(mine.carrier, [event(room, 2, "mine", randomUUID())]);
				await append(mine.carrier, [event(randomUUID(), 1, "mine")]);
				const found = await theirs.carrier.byClientId(room, ada, "mine");
				assert.deepEqual([found?.seq, found?.sender, await theirs.carrier.byClientId(room, ada, "none")], [1, ada, undefined]);
			});

			test("what is refused leaves nothing behind: no event of any room, no fact", async () => {
				const [room, other] = [randomUUID(), randomUUID()];
				await append(mine.carrier, [event(room, 1)]);
				await assert.rejects(mine.carrier.append([told(event(other, 1)), told(event(room, 1, "late"))]), refusedBy(FENCE));
				assert.deepEqual(await theirs.carrier.heads([room, other]), new Map(Object.entries({ [room]: 1, [other]: 0 })));
				await mine.carrier.append([told(event(other, 1))]);
				assert.deepEqual(await toldInTime(house.db, other, 1), [1]);
				assert.deepEqual(await toldOf(house.db, room), []);
			});

			test("two owners of one room at once write one gapless log, each message once, and tell each once", async () => {
				const room = randomUUID();
				const owners = [new Owner(mine.carrier), new Owner(theirs.carrier)];
				/** Sends one after another, and again when it was refused: as a client does. */
				const client = async (who: string, owner: Owner) => {
					const got: number[] = [];
					for (let n = 1; n <= 15; n++) {
						const send = (): Promise<number> =>
							owner.say(room, ada, `${who} ${n}`).catch((error: unknown) => {
								assert.ok(refusedBy(FENCE)(error) || isUnavailable(error), String(error));
								return send();
							});
						got.push(await send());
					}
					return got;
				};
				const answered = await Promise.all(["a", "b", "c", "d"].map((who, i) => client(who, owners[i % 2] as Owner)));
				assert.deepEqual(
					answered.flat().toSorted((one, other) => one - other),
					upTo(60),
				);
				assert.deepEqual(seqs(await theirs.log.page(room, 0, 100)), upTo(60));
				assert.deepEqual(await toldInTime(house.db, room, 60), upTo(60));
			});
		});

		describe("what comes of events", () => {
			test("facts are told once each, in the order of the log", async () => {
				const rooms = [randomUUID(), randomUUID(), randomUUID()];
				for (let seq = 1; seq <= 200; seq += 20) await mine.carrier.append(rooms.flatMap((room) => events(room, seq, seq + 19)).map(told));
				for (const room of rooms) assert.deepEqual(await toldInTime(house.db, room, 200), upTo(200));
			});

			test("the present state of a message is there when its change is acknowledged", async () => {
				const room = randomUUID();
				const ben = randomUUID();
				const said = (seq: number, what: Said) => mine.carrier.append([plain(row(room, seq, what))]);
				const shown = async (seq: number) => theirs.reads.findMessage(room, ben, seq);
				await said(1, { type: "group", action: "created", group: { name: "Repair", description: "", isPublic: true } });
				await said(2, { type: "member", action: "joined", profileId: ben, displayName: "Ben", role: "member" });
				await append(mine.carrier, [event(room, 3), event(room, 4)]);
				assert.equal((await shown(3))?.editedAt, null);
				await said(5, { type: "edited", target: 3, content: "mended", editedAt: "2026-03-01T12:01:00.000Z" });
				assert.deepEqual([(await shown(3))?.editedContent, (await shown(3))?.editedAt], ["mended", "2026-03-01T12:01:00.000Z"]);
				await said(6, { type: "reacted", target: 4, emoji: "♻️", profileId: ben, added: true });
				assert.deepEqual((await shown(4))?.reactions, [{ emoji: "♻️", count: 1, mine: true }]);
				assert.deepEqual(await theirs.reads.findTarget(room, 3), { seq: 3, senderId: ada, deletedAt: null, attachments: [] });
				await said(7, { type: "deleted", target: 3, deletedAt: "2026-03-01T12:02:00.000Z" });
				assert.deepEqual(await theirs.reads.findTarget(room, 3), {
					seq: 3,
					senderId: ada,
					deletedAt: "2026-03-01T12:02:00.000Z",
					attachments: [],
				});
				assert.equal(await theirs.reads.findTarget(room, 5), undefined, "an edit is no message");
				assert.doesNotMatch(JSON.stringify(await theirs.log.page(room, 0, 100)), /message 3|mended/);
				assert.match(JSON.stringify(await theirs.log.page(room, 0, 100)), /message 4/);
				const state = await theirs.reads.load(room);
				assert.deepEqual([state?.head, state?.members.get(ben)?.joinedSeq, state?.members.get(ada)?.role], [7, 2, "admin"]);
			});

			test("pages of messages go both ways past everything else in the log", async () => {
				const room = randomUUID();
				const reaction = (seq: number) => row(room, seq, { type: "reacted", target: 1, emoji: "👍", profileId: ada, added: seq % 4 === 2 });
				const rows = upTo(40).map((seq) => (seq % 2 ? event(room, seq) : reaction(seq)));
				await append(mine.carrier, rows);
				const from = async (place: Parameters<LogProcess["reads"]["messagesFrom"]>[2], limit: number) =>
					seqs(await theirs.reads.messagesFrom(room, ada, place, limit));
				assert.deepEqual(await from({ after: 0 }, 3), [1, 3, 5]);
				assert.deepEqual(await from({ after: 36 }, 10), [37, 39]);
				assert.deepEqual(await from({ before: null }, 3), [39, 37, 35]);
				assert.deepEqual(await from({ before: 6 }, 10), [5, 3, 1]);
			});

			test("unread are the messages of others after the mark that are not deleted", async () => {
				const [room, ben] = [randomUUID(), randomUUID()];
				await append(mine.carrier, [
					row(room, 1, { type: "group", action: "created", group: { name: "Repair", description: "", isPublic: false } }),
					row(room, 2, { type: "member", action: "joined", profileId: ben, displayName: "Ben" }),
					event(room, 3),
					event(room, 4),
					event(room, 5, "his", ben),
					event(room, 6),
				]);
				assert.deepEqual(
					[
						await theirs.reads.countUnread(room, ben, 2),
						await theirs.reads.countUnread(room, ben, 3),
						await theirs.reads.countUnread(room, ada, 0),
					],
					[3, 2, 1],
				);
				await mine.carrier.append([plain(row(room, 7, { type: "deleted", target: 4, deletedAt: "2026-03-01T12:02:00.000Z" }))]);
				assert.equal(await theirs.reads.countUnread(room, ben, 2), 2);
				const [listed] = await theirs.reads.groupsOf(ben, null, 10);
				assert.deepEqual([listed?.id, listed?.head, listed?.unread, listed?.memberCount], [room, 7, 2, 2]);
			});

			test("a deleted group leaves nothing but the place that fences off whoever slept through it", async () => {
				const room = randomUUID();
				const group = { name: "Repair", description: "", isPublic: true };
				await append(mine.carrier, [row(room, 1, { type: "group", action: "created", group }), event(room, 2), event(room, 3)]);
				await mine.carrier.append([plain(row(room, 4, { type: "group", action: "deleted", group }))]);
				assert.deepEqual(seqs(await theirs.log.page(room, 0, 10)), [4]);
				assert.equal(await theirs.reads.load(room), null);
				await assert.rejects(append(theirs.carrier, [event(room, 4)]), refusedBy(FENCE));
			});

			test("what was decided with an event is written with it, and a key is used up once", async () => {
				const [room, other] = [randomUUID(), randomUUID()];
				const kept = (text: string): Deed => ({
					kind: "keep",
					answer: {
						scope: "test",
						key: room,
						hash: "aGFzaA",
						status: 200,
						answer: Buffer.from(text).toString("base64"),
						at: new Date().toISOString(),
					},
				});
				const created = (key: string) =>
					row(key, 1, { type: "group", action: "created", group: { name: "Once", description: "", isPublic: true } });
				await mine.carrier.append([{ ...plain(created(room)), deeds: [kept("first")], once: room }]);
				await assert.rejects(theirs.carrier.append([{ ...plain(created(other)), deeds: [kept("second")], once: room }]), (error: unknown) =>
					isTaken(error),
				);
				const rows = await house.db.query<{ answer: Buffer }>("select answer from idempotency where key = $1", [room]);
				assert.deepEqual(
					rows.map(({ answer }) => answer.toString()),
					["first"],
				);
				assert.equal(await theirs.reads.load(other), null);
			});
		});
	});
}
