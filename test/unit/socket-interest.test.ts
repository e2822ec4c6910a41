// Who follows whom: a socket hears of a profile once, while it may, and only what it was not told before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { localCarrier, makeRoomBus } from "../../mixins/rooms.ts";
import type { PresenceEntry } from "../../services/contracts/presence.ts";
import type { Signal } from "../../services/contracts/socket.ts";
import { Interest } from "../../services/socket/presence/interest.ts";

function house() {
	const bus = makeRoomBus(
		localCarrier((error) => {
			throw error;
		}),
	);
	const interest = new Interest(bus);
	const follower = (id: string, profileId = id) => {
		const heard: string[] = [];
		return {
			id,
			profileId,
			heard,
			isSlow: false,
			slow() {
				return this.isSlow;
			},
			send: (_event: "signal", { profiles = [] }: Signal) =>
				void heard.push(...profiles.map((entry) => `${entry.profileId} ${entry.status}`)),
		};
	};
	const member = (action: "joined" | "left", profileId: string) =>
		bus.publish({
			room: "group:g",
			events: [{ room: "group:g", seq: 1, type: "member", at: "2026-01-01T00:00:00.000Z", by: null, action, profileId }],
		});
	return { bus, interest, follower, member };
}
const entry = (profileId: string, status: PresenceEntry["status"]): PresenceEntry => ({ profileId, status, lastSeen: null });

test("changes reach those who follow the profile, for whatever reason, once", () => {
	const { interest, follower } = house();
	const [ana, ben] = [follower("ana"), follower("ben")];
	interest.followProfiles(ana, ["carol"]);
	interest.followGroup(ana, "g");
	interest.setMembers(ana, "g", ["carol", "dan"]);
	interest.followProfiles(ben, ["dan"]);
	interest.changed([entry("carol", "online"), entry("dan", "away"), entry("eve", "online")]);
	interest.changed([entry("carol", "online")]);
	assert.deepEqual([ana.heard, ben.heard], [["carol online", "dan away"], ["dan away"]]);
	interest.followProfiles(ana, []);
	interest.changed([entry("carol", "away")]);
	assert.equal(ana.heard.at(-1), "carol away", "she is still in the group");
	interest.unfollowGroup(ana, "g");
	interest.changed([entry("carol", "online"), entry("dan", "online")]);
	assert.equal(ana.heard.length, 3);
});

test("what changes while an answer is under way is told after it, unless the answer said it", () => {
	const { interest, follower } = house();
	const ana = follower("ana");
	const done = interest.begin(ana);
	interest.followProfiles(ana, ["ben", "carol"]);
	interest.changed([entry("ben", "online"), entry("carol", "online")]);
	interest.changed([entry("carol", "away")]);
	assert.deepEqual(ana.heard, []);
	done([entry("ben", "online"), entry("carol", "online")]);
	assert.deepEqual(ana.heard, ["carol away"]);
});

test("who joins or leaves while the members are asked for is counted right", () => {
	const { interest, follower, member } = house();
	const ana = follower("ana");
	const done = interest.begin(ana);
	interest.followGroup(ana, "g");
	member("joined", "ben");
	member("left", "carol");
	assert.equal(interest.setMembers(ana, "g", ["ana", "carol"]), true);
	done([]);
	interest.changed([entry("ben", "online"), entry("carol", "online")]);
	assert.deepEqual(ana.heard, ["ben online"]);
});

test("who is evicted follows the group no longer, even while it asks", () => {
	const { bus, interest, follower } = house();
	const ana = follower("phone", "ana");
	const done = interest.begin(ana);
	interest.followGroup(ana, "g");
	bus.evict("group:g", "ana", "not-member", 1);
	assert.equal(interest.setMembers(ana, "g", ["ben"]), false);
	done();
	interest.changed([entry("ben", "online")]);
	assert.deepEqual([ana.heard, interest.size], [[], 0]);
});

test("a slow socket is not told, and told later what is still news", () => {
	const { interest, follower } = house();
	const ana = follower("ana");
	interest.followProfiles(ana, ["ben"]);
	ana.isSlow = true;
	interest.changed([entry("ben", "online")]);
	ana.isSlow = false;
	interest.changed([entry("ben", "online")]);
	assert.deepEqual(ana.heard, ["ben online"]);
});

test("a socket follows at most 64 groups, the latest ones, and leaves nothing behind", () => {
	const { interest, follower } = house();
	const ana = follower("ana");
	for (let n = 0; n < 70; n++) {
		interest.followGroup(ana, `g${n}`);
		interest.setMembers(ana, `g${n}`, [`member ${n}`]);
	}
	interest.changed([entry("member 0", "online"), entry("member 69", "online")]);
	assert.deepEqual(ana.heard, ["member 69 online"]);
	interest.forget(ana);
	interest.changed([entry("member 69", "away")]);
	assert.deepEqual([ana.heard.length, interest.size], [1, 0]);
});
