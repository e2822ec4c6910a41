// The checker of the cluster's tests finds what is planted, and nothing where all is well: a checker that is never wrong is
// worth nothing until it has been seen to say no.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Evidence } from "../cluster/support/checker.ts";
import { breaches, check } from "../cluster/support/checker.ts";
import type { Attempt, Heard, LoggedEvent } from "../cluster/support/history.ts";
import { keyOf, longestGap } from "../cluster/support/history.ts";

const room = "group:1";
const at = "2026-01-01T00:00:00.000Z";
const made: LoggedEvent = { room, seq: 1, type: "group", at, by: { profileId: "ana" } };
const message = (seq: number, clientId = `m${seq}`): LoggedEvent => ({
	room,
	seq,
	type: "message",
	at,
	by: { profileId: "ana" },
	message: { id: `id-${seq}`, clientId },
});
const sent = (seq: number, more: Partial<Attempt> = {}): Attempt => ({
	key: keyOf(room, "ana", `m${seq}`),
	room,
	invoked: seq * 10,
	completed: seq * 10 + 5,
	outcome: "ok",
	seq,
	id: `id-${seq}`,
	...more,
});

/** Three messages, acknowledged, stored, heard by two. */
interface Story {
	attempts: Attempt[];
	log: LoggedEvent[];
	heard: Heard[];
}
function story(change: (story: Story) => void = () => {}): Evidence {
	const log = [made, message(2), message(3), message(4)];
	const told: Story = {
		attempts: [sent(2), sent(3), sent(4)],
		log,
		heard: [
			{ listener: "bo", room, after: 0, events: [...log] },
			{ listener: "cy", room, after: 2, events: log.slice(2) },
		],
	};
	change(told);
	return { attempts: told.attempts, logs: new Map([[room, { after: 0, events: told.log }]]), heard: told.heard };
}

test("a history in which all is well breaks nothing", () => {
	const verdict = check(story());
	assert.deepEqual(breaches(verdict), []);
	assert.equal(verdict.acknowledged, 3);
	assert.equal(verdict.unknown, 0);
});

test("what nobody knows of may be stored or not, and sending it again until it is acknowledged is no double", () => {
	const verdict = check(
		story(({ attempts }) => {
			const unknown = (seq: number) => sent(seq, { outcome: "unknown", seq: undefined, id: undefined } as Partial<Attempt>);
			attempts.unshift(unknown(3), unknown(3));
			attempts.push(unknown(9));
			attempts[attempts.findIndex(({ key }) => key === sent(4).key)] = unknown(4);
		}),
	);
	assert.deepEqual(breaches(verdict), []);
	assert.equal(verdict.acknowledged, 2);
	assert.equal(verdict.unknown, 2);
});

describe("a planted fault is found, and named as what it is", () => {
	const without = (seq: number) => (events: LoggedEvent[]) => events.filter((event) => event.seq !== seq);
	const planted: Record<string, { plant: (story: Story) => void; found: string[] }> = {
		"an acknowledged message is not stored": {
			plant(told) {
				told.log = [made, message(2), message(3)];
				for (const each of told.heard) each.events = without(4)(each.events);
			},
			found: ["lost: group:1 ana m4 was acknowledged as 4"],
		},
		"it is stored under another number than it was acknowledged with": {
			plant: ({ attempts }) => void attempts.splice(1, 1, sent(3, { seq: 7 })),
			found: ["lost: group:1 ana m3 was acknowledged as 7, and is stored as 3"],
		},
		"one message is stored twice": {
			plant(told) {
				told.log.push(message(5, "m4"));
				for (const each of told.heard) each.events.push(message(5, "m4"));
			},
			found: ["doubled: group:1 ana m4 is stored as 4 and 5"],
		},
		"two acknowledgements of one message name two numbers": {
			plant: ({ attempts }) => void attempts.push(sent(3, { invoked: 100, completed: 105, seq: 4, id: "id-4" })),
			found: ["doubled: group:1 ana m3 was acknowledged as 3 and as 4"],
		},
		"the log has a number twice": {
			plant(told) {
				told.log.splice(2, 0, { ...made, seq: 2 });
				told.heard = [];
			},
			found: ["doubled: group:1 has 2 twice"],
		},
		"the log has a gap": {
			plant(told) {
				const skipped = (events: LoggedEvent[]) => events.filter(({ seq }) => seq !== 3);
				told.log = skipped(told.log);
				told.attempts.splice(1, 1);
				told.heard = [{ listener: "bo", room, after: 0, events: told.log.slice(0, 2) }];
			},
			found: ["gaps: group:1 has 4 behind 2", "gaps: bo in group:1: heard nothing behind 2 of 4"],
		},
		"the log is not in the order of its numbers": {
			plant(told) {
				told.log = [made, message(3), message(2), message(4)];
				told.heard = [];
			},
			found: [
				"gaps: group:1 has 3 behind 1",
				"reordered: group:1 has 2 behind 3",
				"reordered: group:1: 2 was acknowledged before 3 was sent",
			],
		},
		"a message that was acknowledged before another was sent is numbered after it": {
			plant({ attempts }) {
				attempts[0] = sent(2, { invoked: 60, completed: 65 });
			},
			found: ["reordered: group:1: 3 was acknowledged before 2 was sent"],
		},
		"something is stored that nobody sent": {
			plant: ({ attempts }) => void attempts.splice(1, 1),
			found: ["invented: group:1 ana m3 is stored as 3, and nobody sent it"],
		},
		"something is stored that was refused": {
			plant: ({ attempts }) => void attempts.splice(1, 1, sent(3, { outcome: "failed" })),
			found: ["invented: group:1 ana m3 is stored as 3, and was refused"],
		},
		"a listener hears one event twice": {
			plant: ({ heard: [bo] }) => void bo?.events.splice(2, 0, message(2)),
			found: ["doubled: bo in group:1: heard 2 twice"],
		},
		"a listener misses one": {
			plant: ({ heard: [bo] }) => void bo?.events.splice(2, 1),
			found: ["gaps: bo in group:1: heard 4 behind 2"],
		},
		"a listener hears two in the wrong order": {
			plant: ({ heard: [bo] }) => void bo?.events.splice(1, 2, message(3), message(2)),
			found: ["gaps: bo in group:1: heard 3 behind 1", "reordered: bo in group:1: heard 2 behind 3"],
		},
		"a listener never hears the last one": {
			plant: ({ heard: [, cy] }) => void cy?.events.pop(),
			found: ["gaps: cy in group:1: heard nothing behind 3 of 4"],
		},
		"a listener hears something else than is stored": {
			plant: ({ heard: [, cy] }) => void cy?.events.splice(0, 1, { ...message(3), at: "another time" }),
			found: ["invented: cy in group:1: heard 3 otherwise than it is stored"],
		},
	};
	for (const [name, { plant, found }] of Object.entries(planted))
		test(name, () => assert.deepEqual(breaches(check(story(plant))).sort(), found.sort()));
});

test("the longest gap is the longest time without any acknowledgement, the edges included", () => {
	const attempts = [sent(2), sent(3), sent(4, { outcome: "unknown" }), sent(9)];
	assert.equal(longestGap(attempts, 0, 100), 60);
	assert.equal(longestGap(attempts, 0, 500), 405);
	assert.equal(longestGap([], 10, 30), 20);
});
