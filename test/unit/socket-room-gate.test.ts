// The gate between the bus and the sockets: each later event once, in order, without a gap, or one pull.
import assert from "node:assert/strict";
import { test } from "node:test";
import { localCarrier, makeRoomBus } from "../../mixins/rooms.ts";
import type { RoomFrame } from "../../mixins/rooms.ts";
import type { LogEvent, OpenedRoom } from "../../services/contracts/rooms.ts";
import type { Signal } from "../../services/contracts/socket.ts";
import { RoomGate } from "../../services/socket/rooms/gate.ts";
import { Refusal } from "../../services/socket/rooms/opening.ts";
import type { Link } from "../../services/socket/rooms/seat.ts";

const ROOM = "group:1";
const event = (seq: number): LogEvent => ({ room: ROOM, seq, type: "message", at: "2026-01-01T00:00:00.000Z", by: null });
const frame = (...seqs: number[]): RoomFrame => ({ room: ROOM, events: seqs.map(event) });
const opened = (head: number, seqs: number[] = [], more?: true): OpenedRoom => ({
	room: ROOM,
	head,
	events: seqs.map(event),
	...(more ? { more } : {}),
});

interface Heard {
	seqs: number[];
	pulls: number[];
	signals: string[];
}

/** A house with one bus and one gate; sockets note what they hear. */
function house() {
	const bus = makeRoomBus(
		localCarrier((error) => {
			throw error;
		}),
	);
	const links = new Map<string, Link & { heard: Heard; isSlow: boolean; tuned: Set<string> }>();
	const blocked = new Set<string>();
	let broadcasts = 0;
	const gate = new RoomGate({
		bus,
		apart: (one, other) => blocked.has(`${one} ${other}`),
		broadcast(room, kind, payload, except) {
			broadcasts++;
			for (const link of links.values()) {
				if (!link.tuned.has(room) || except.includes(link.id)) continue;
				if (kind === "events") link.heard.seqs.push(...(payload as RoomFrame).events.map(({ seq }) => seq));
				else link.heard.signals.push((payload as Signal).type);
			}
		},
	});
	const join = (id: string, profileId = id) => {
		const heard: Heard = { seqs: [], pulls: [], signals: [] };
		const tuned = new Set<string>();
		const link = {
			id,
			profileId,
			heard,
			tuned,
			isSlow: false,
			slow: () => link.isSlow,
			send(kind: string, payload: RoomFrame | { head: number }) {
				if (kind === "events") heard.seqs.push(...(payload as RoomFrame).events.map(({ seq }) => seq));
				else heard.pulls.push((payload as { head: number }).head);
			},
			tune: (room: string, on: boolean) => void (on ? tuned.add(room) : tuned.delete(room)),
		};
		links.set(id, link);
		return link;
	};
	/** Opens and answers at once. */
	const enter = async (link: Link, answer: OpenedRoom | Refusal) => {
		const opening = gate.open(link, ROOM, async () => answer);
		await opening.ready;
		const outcome = opening.take();
		opening.settle();
		return outcome;
	};
	return { bus, gate, join, enter, blocked, broadcasts: () => broadcasts };
}

test("a socket that joined hears every later frame, encoded once for all", async () => {
	const { bus, join, enter, broadcasts } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(3));
	await enter(ben, opened(3));
	bus.publish(frame(4, 5));
	bus.publish(frame(6));
	assert.deepEqual(ana.heard.seqs, [4, 5, 6]);
	assert.deepEqual(ben.heard.seqs, [4, 5, 6]);
	assert.equal(broadcasts(), 2);
});

test("frames that come while the answer is under way go out after it, without those the answer has", async () => {
	const { bus, gate, join } = house();
	const ana = join("ana");
	const answer = Promise.withResolvers<OpenedRoom>();
	const opening = gate.open(ana, ROOM, () => answer.promise);
	await Promise.resolve();
	bus.publish(frame(4, 5));
	bus.publish(frame(6));
	answer.resolve(opened(5, [1, 2, 3, 4, 5]));
	await opening.ready;
	bus.publish(frame(7));
	assert.deepEqual(ana.heard.seqs, []);
	opening.settle();
	assert.deepEqual(ana.heard.seqs, [6, 7]);
});

test("a frame that begins before the answer's head is cut, one that ends before it is dropped", async () => {
	const { bus, join, enter } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(5));
	await enter(ben, opened(3));
	bus.publish(frame(4, 5, 6));
	bus.publish(frame(5, 6));
	bus.publish(frame(7));
	assert.deepEqual(ana.heard.seqs, [6, 7]);
	assert.deepEqual(ben.heard.seqs, [4, 5, 6, 7]);
});

test("a gap is told by one pull, and nothing comes until the client has caught up", async () => {
	const { bus, join, enter } = house();
	const ana = join("ana");
	await enter(ana, opened(3));
	bus.publish(frame(5));
	bus.publish(frame(6));
	assert.deepEqual(ana.heard, { seqs: [], pulls: [5], signals: [] });
	await enter(ana, opened(6, [4, 5, 6]));
	bus.publish(frame(7));
	assert.deepEqual(ana.heard.seqs, [7]);
});

test("a slow socket gets one pull while the others go on", async () => {
	const { bus, join, enter } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(0));
	await enter(ben, opened(0));
	ana.isSlow = true;
	bus.publish(frame(1));
	bus.publish(frame(2));
	ana.isSlow = false;
	bus.publish(frame(3));
	assert.deepEqual(ana.heard, { seqs: [], pulls: [1], signals: [] });
	assert.deepEqual(ben.heard.seqs, [1, 2, 3]);
});

test("an answer with more behind it subscribes to nothing yet", async () => {
	const { bus, join, enter } = house();
	const ana = join("ana");
	await enter(ana, opened(900, [1, 2], true));
	bus.publish(frame(901));
	assert.deepEqual(ana.heard, { seqs: [], pulls: [], signals: [] });
	await enter(ana, opened(901, [3, 901]));
	bus.publish(frame(902));
	assert.deepEqual(ana.heard.seqs, [902]);
});

test("too much held back becomes a pull", async () => {
	const { bus, gate, join } = house();
	const ana = join("ana");
	const opening = gate.open(ana, ROOM, async () => opened(0));
	for (let seq = 1; seq <= 1001; seq++) bus.publish(frame(seq));
	await opening.ready;
	opening.settle();
	assert.deepEqual(ana.heard, { seqs: [], pulls: [1001], signals: [] });
});

test("an evicted profile hears nothing more on any of its sockets", async () => {
	const { bus, gate, join, enter } = house();
	const [phone, laptop, ben] = [join("phone", "ana"), join("laptop", "ana"), join("ben")];
	await enter(phone, opened(0));
	await enter(laptop, opened(0));
	await enter(ben, opened(0));
	bus.publish(frame(1));
	bus.evict(ROOM, "ana", "not-member", 2);
	bus.publish(frame(2));
	bus.signal(ROOM, { type: "typing" });
	assert.deepEqual([phone.heard.seqs, laptop.heard.seqs, ben.heard.seqs], [[1], [1], [1, 2]]);
	assert.deepEqual([phone.heard.signals, ben.heard.signals], [[], ["typing"]]);
	assert.equal(gate.has(phone, ROOM), false);
});

const removal = (seq: number, profileId: string, action = "kicked"): LogEvent => ({ ...event(seq), type: "member", action, profileId });

test("who is removed hears that and nothing after it, though nobody says so but the log itself", async () => {
	for (const action of ["kicked", "banned", "left"]) {
		const { bus, gate, join, enter } = house();
		const [ana, ben] = [join("ana"), join("ben")];
		await enter(ana, opened(0));
		await enter(ben, opened(0));
		bus.publish({ room: ROOM, events: [event(1), removal(2, "ana", action), event(3)] });
		bus.publish(frame(4));
		bus.signal(ROOM, { type: "typing" });
		assert.deepEqual(
			[ana.heard.seqs, ben.heard.seqs],
			[
				[1, 2],
				[1, 2, 3, 4],
			],
		);
		assert.deepEqual([ana.heard.signals, gate.has(ana, ROOM)], [[], false]);
	}
});

test("what was held back while an answer went out ends with the removal, too", async () => {
	const { bus, gate, join } = house();
	const ana = join("ana");
	const opening = gate.open(ana, ROOM, async () => opened(3));
	await opening.ready;
	opening.take();
	opening.answered();
	bus.publish(frame(4));
	bus.publish({ room: ROOM, events: [removal(5, "ana"), event(6)] });
	bus.publish(frame(7));
	opening.settle();
	assert.deepEqual([ana.heard.seqs, gate.has(ana, ROOM)], [[4, 5], false]);
});

test("an answer from before a removal that was heard meanwhile is a refusal", async () => {
	const { bus, gate, join } = house();
	const ana = join("ana");
	const opening = gate.open(ana, ROOM, async () => opened(3, [3]));
	await opening.ready;
	bus.publish({ room: ROOM, events: [removal(4, "ana")] });
	assert.ok(opening.take() instanceof Refusal);
	opening.settle();
	bus.publish(frame(5));
	assert.deepEqual([ana.heard.seqs, gate.has(ana, ROOM)], [[], false]);
});

test("who was let in again stays, however late the word of their removal comes", async () => {
	const { bus, gate, join, enter } = house();
	const ana = join("ana");
	await enter(ana, opened(9));
	bus.evict(ROOM, "ana", "not-member", 5);
	bus.publish(frame(10));
	const again = gate.open(ana, ROOM, async () => opened(10));
	bus.evict(ROOM, "ana", "not-member", 5);
	await again.ready;
	assert.ok(!(again.take() instanceof Refusal));
	again.answered();
	again.settle();
	bus.publish(frame(11));
	assert.deepEqual(ana.heard.seqs, [10, 11]);
});

test("a signal does not reach who has heard less of the log than its sender", async () => {
	const { bus, join, enter } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(4));
	await enter(ben, opened(5));
	bus.signal(ROOM, { type: "typing" }, undefined, 5);
	assert.deepEqual([ana.heard.signals, ben.heard.signals], [[], ["typing"]]);
});

test("a signal does not pass between two of whom one has blocked the other", async () => {
	const { bus, join, enter, blocked } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(0));
	await enter(ben, opened(0));
	blocked.add("ana carol");
	bus.signal(ROOM, { type: "typing", profileId: "carol" });
	assert.deepEqual([ana.heard.signals, ben.heard.signals], [[], ["typing"]]);
});

test("everybody is out when the room is no more", async () => {
	const { bus, gate, join, enter } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(2));
	await enter(ben, opened(1));
	bus.evict(ROOM, null, "not-found", 2);
	assert.deepEqual([gate.has(ana, ROOM), gate.has(ben, ROOM), gate.size], [false, false, 0]);
});

test("an eviction in flight turns the answer into a refusal", async () => {
	const { bus, gate, join } = house();
	const ana = join("ana");
	const answer = Promise.withResolvers<OpenedRoom>();
	const first = gate.open(ana, ROOM, () => answer.promise);
	const second = gate.open(ana, ROOM, () => answer.promise);
	bus.evict(ROOM, "ana", "not-found", 8);
	answer.resolve(opened(7, [6, 7]));
	for (const opening of [first, second]) {
		await opening.ready;
		const outcome = opening.take();
		assert.ok(outcome instanceof Refusal && outcome.evicted === "not-found");
		opening.settle();
	}
	bus.publish(frame(8));
	assert.deepEqual(ana.heard.seqs, []);
});

test("an eviction between the owner's answer and ours still counts", async () => {
	const { bus, gate, join } = house();
	const ana = join("ana");
	const opening = gate.open(ana, ROOM, async () => opened(7, [7]));
	await opening.ready;
	bus.evict(ROOM, "ana", "not-member", 8);
	assert.ok(opening.take() instanceof Refusal);
	opening.settle();
});

test("a second opening waits for the first, and a live socket goes on where an answer failed", async () => {
	const { bus, gate, join, enter } = house();
	const ana = join("ana");
	await enter(ana, opened(3));
	const order: string[] = [];
	const failing = (name: string) => async () => {
		order.push(name);
		return new Refusal(new Error("away"), { final: false });
	};
	const first = gate.open(ana, ROOM, failing("first"));
	const second = gate.open(ana, ROOM, failing("second"));
	await first.ready;
	bus.publish(frame(4));
	assert.deepEqual(order, ["first"]);
	first.settle();
	assert.deepEqual(ana.heard.seqs, []);
	await second.ready;
	second.settle();
	bus.publish(frame(5));
	assert.deepEqual(
		[order, ana.heard.seqs],
		[
			["first", "second"],
			[4, 5],
		],
	);
});

test("a refusal that is final takes the socket out; the last one out ends the subscription", async () => {
	const { bus, gate, join, enter } = house();
	const ana = join("ana");
	await enter(ana, opened(0));
	assert.equal(gate.size, 1);
	await enter(ana, new Refusal(new Error("no"), { final: true }));
	assert.deepEqual([gate.size, gate.count(ana)], [0, 0]);
	bus.publish(frame(1));
	assert.deepEqual(ana.heard.seqs, []);
});

test("leave waits for what was asked before; a closed socket is forgotten at once", async () => {
	const { bus, gate, join, enter } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	const opening = gate.open(ana, ROOM, async () => opened(0));
	const left = gate.leave(ana, ROOM);
	await opening.ready;
	opening.settle();
	await left;
	await enter(ben, opened(0));
	gate.forget(ben);
	bus.publish(frame(1));
	assert.deepEqual([ana.heard.seqs, ben.heard.seqs, gate.size], [[], [], 0]);
});

test("a signal does not come back to the socket it came from", async () => {
	const { bus, join, enter } = house();
	const [ana, ben] = [join("ana"), join("ben")];
	await enter(ana, opened(0));
	await enter(ben, opened(0));
	bus.signal(ROOM, { type: "typing", groupId: "g", profileId: "ana" }, "ana");
	assert.deepEqual([ana.heard.signals, ben.heard.signals], [[], ["typing"]]);
});

test("who has heard less than the log is known to have is told to pull; who has heard all of it, or asks already, is not", async () => {
	const { bus, gate, join, enter } = house();
	const [ana, ben, carol] = [join("ana"), join("ben"), join("carol")];
	await enter(ana, opened(3));
	await enter(ben, opened(5));
	// The last frame was lost, and nothing came after it.
	const asking = gate.open(carol, ROOM, async () => opened(4));
	bus.remind(ROOM, 5);
	gate.remind(ROOM, 5);
	assert.deepEqual([ana.heard.pulls, ben.heard.pulls, carol.heard.pulls], [[5], [], []]);
	await asking.ready;
	asking.settle();
	assert.deepEqual(carol.heard.pulls, [5], "its answer came before what the log is known to have");

	const again = gate.open(ana, ROOM, async () => opened(5, [4, 5]));
	bus.remind(ROOM, 5);
	await again.ready;
	again.settle();
	bus.publish(frame(6));
	assert.deepEqual([ana.heard.pulls, ana.heard.seqs, ben.heard.seqs], [[5], [6], [6]]);
	gate.remind("group:nobody-is-in", 9);
});
