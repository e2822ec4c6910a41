// Who is here, over all sockets of a profile; and what a profile's own room is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyFact } from "../../services/contracts/index.ts";
import { toNotice } from "../../services/presence/domain/notices.ts";
import { GRACE, Presence } from "../../services/presence/domain/presence.ts";

const at = (ms: number) => new Date(1_800_000_000_000 + ms);
const told = (presence: Presence, ms: number) => presence.news(at(ms)).changed.map(({ profileId, status }) => `${profileId} ${status}`);

test("a profile is online while it has a socket, and offline once the last is gone for good", () => {
	const presence = new Presence();
	presence.connected("phone", "ana", false, at(0));
	presence.connected("laptop", "ana", false, at(0));
	assert.deepEqual(told(presence, 0), ["ana online"]);
	presence.disconnected("phone", at(1_000));
	assert.deepEqual(told(presence, 5_000), []);
	presence.disconnected("laptop", at(10_000));
	assert.deepEqual(told(presence, 10_000), []);
	assert.equal(presence.look("ana", at(10_000))?.status, "online");
	assert.equal(presence.nextDue(), at(10_000 + GRACE).getTime());
	assert.deepEqual(presence.look("ana", at(10_000 + GRACE)), { profileId: "ana", status: "offline", lastSeen: at(10_000).toISOString() });
	const { changed, seen } = presence.news(at(10_000 + GRACE));
	assert.deepEqual(changed, [{ profileId: "ana", status: "offline", lastSeen: at(10_000).toISOString() }]);
	assert.deepEqual(seen, [{ profileId: "ana", lastSeen: at(10_000).toISOString(), hidden: false }]);
	assert.equal(presence.look("ana", at(12_000)), undefined, "the store knows");
	assert.equal(presence.size, 0);
});

test("a link that flaps is no news", () => {
	const presence = new Presence();
	presence.connected("s0", "ana", false, at(0));
	assert.deepEqual(told(presence, 0), ["ana online"]);
	for (let turn = 1; turn <= 20; turn++) {
		presence.disconnected(`s${turn - 1}`, at(turn * 1_000));
		assert.deepEqual(told(presence, turn * 1_000 + 200), []);
		presence.connected(`s${turn}`, "ana", false, at(0));
		assert.deepEqual(told(presence, turn * 1_000 + 400), []);
	}
	assert.equal(presence.nextDue(), undefined);
});

test("coming and going between two tellings is told as what it comes to", () => {
	const presence = new Presence();
	presence.connected("a", "ana", false, at(0));
	presence.disconnected("a", at(0));
	assert.deepEqual(told(presence, GRACE), []);
	assert.equal(presence.size, 0);
});

test("away holds for the profile until all its sockets are gone", () => {
	const presence = new Presence();
	presence.connected("a", "ana", false, at(0));
	assert.equal(presence.set("a", "ana", "away"), true);
	assert.deepEqual(told(presence, 0), ["ana away"]);
	presence.connected("b", "ana", false, at(0));
	assert.deepEqual(told(presence, 1), []);
	presence.set("b", "ana", "online");
	presence.set("b", "ana", "away");
	assert.deepEqual(told(presence, 2), ["ana away"], "who asked in between has seen her online");
	assert.deepEqual(told(presence, 2), []);
	presence.disconnected("a", at(3));
	presence.disconnected("b", at(3));
	told(presence, 3 + GRACE);
	presence.connected("c", "ana", false, at(0));
	assert.deepEqual(told(presence, 9_000), ["ana online"]);
});

test("who hides is offline to all, with no time, and stays hidden", () => {
	const presence = new Presence();
	presence.connected("a", "ana", false, at(0));
	told(presence, 0);
	presence.set("a", "ana", "hidden");
	const { changed, seen } = presence.news(at(1));
	assert.deepEqual(changed, [{ profileId: "ana", status: "offline", lastSeen: null }]);
	assert.deepEqual(seen, [{ profileId: "ana", lastSeen: at(0).toISOString(), hidden: true }]);
	assert.deepEqual(presence.look("ana", at(2)), { profileId: "ana", status: "offline", lastSeen: null });
	presence.disconnected("a", at(3));
	assert.deepEqual(presence.news(at(3 + GRACE)), {
		changed: [],
		seen: [{ profileId: "ana", lastSeen: at(3).toISOString(), hidden: true }],
	});
	presence.connected("b", "ana", true, at(0));
	assert.deepEqual(told(presence, 9_000), []);
	presence.set("b", "ana", "online");
	assert.deepEqual(told(presence, 9_001), ["ana online"]);
});

test("only a socket of the profile speaks for it", () => {
	const presence = new Presence();
	presence.connected("a", "ana", false, at(0));
	assert.equal(presence.set("a", "eve", "hidden"), false);
	assert.equal(presence.set("z", "ana", "hidden"), false);
});

const fact = (type: string, payload: object): AnyFact =>
	({ id: "f", type, version: 1, at: at(0).toISOString(), aggregate: "a", requestId: null, actor: null, payload }) as unknown as AnyFact;

test("XP and levels are told to the profile they belong to; points and coins are not", () => {
	const xp = toNotice(
		fact("gamification.points.awarded", { profileId: "ana", currency: "xp", amount: 5, reason: "message", source: "m", total: 30 }),
	);
	assert.deepEqual([xp?.profileId, xp?.type, xp?.body], ["ana", "xp", { amount: 5, reason: "message", source: "m", total: 30 }]);
	const level = toNotice(fact("gamification.level.reached", { profileId: "ana", level: 1, previous: 0 }));
	assert.deepEqual([level?.type, level?.body], ["level", { level: 1, previous: 0 }]);
	assert.equal(
		toNotice(fact("gamification.points.awarded", { profileId: "ana", currency: "coins", amount: 5, reason: "r", source: "s", total: 5 })),
		undefined,
	);
	assert.equal(toNotice(fact("groups.group.deleted", { groupId: "g" })), undefined);
});
