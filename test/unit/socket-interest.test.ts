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
	const blocked = new Set<string>();
	const interest = new Interest(bus, (one, other) => blocked.has(`${one} ${other}`) || blocked.has(`${other} ${one}`));
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
	const member = (action: "joined" | "left", profileId: string, seq = 1) =>
		bus.publish({
			room: "group:g",
			events: [{ room: "group:g", seq, type: "member", at: "2026-01-01T00:00:00.000Z", by: null, action, profileId }],
		});
	return { bus, interest, follower, member, blocked };
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

test("who is apart from a socket's owner is offline to it, from the moment they are, and asked about when they are no longer", () => {
	const { interest, follower, blocked } = house();
	const [ana, eve] = [follower("ana"), follower("eve")];
	const doubted: string[] = [];
	interest.onDoubt = (ids) => void doubted.push(...ids);
	for (const one of [ana, eve]) interest.followProfiles(one, ["ben", "carol"]);
	interest.changed([entry("ben", "online"), entry("carol", "online")]);
	blocked.add("ben ana");
	interest.apartChanged([ana], new Set(["ben"]));
	interest.changed([entry("ben", "away")]);
	assert.deepEqual(ana.heard, ["ben online", "carol online", "ben offline"]);
	assert.deepEqual(eve.heard, ["ben online", "carol online", "ben away"]);
	// An answer from before the block.
	interest.begin(ana)([entry("ben", "online")]);
	assert.deepEqual(interest.shown(ana, [entry("ben", "online"), entry("carol", "away")]), [
		entry("ben", "offline"),
		entry("carol", "away"),
	]);
	assert.deepEqual(doubted, []);
	blocked.clear();
	interest.apartChanged([ana], new Set(["ben", "dan"]));
	assert.deepEqual(doubted, ["ben"]);
	interest.changed([entry("ben", "away")]);
	assert.equal(ana.heard.at(-1), "ben away");
	blocked.add("ana ben").add("ana carol");
	interest.apartChanged([ana], undefined);
	assert.deepEqual(ana.heard.slice(-2), ["ben offline", "carol offline"]);
});

test("a gap in the group's log, its end further on, or nothing known of it yet: its members are to be asked for", () => {
	const { interest, follower, member } = house();
	const ana = follower("ana");
	const missed: string[] = [];
	interest.onMissed = (groupId) => void missed.push(groupId);
	interest.followGroup(ana, "g");
	interest.setMembers(ana, "g", ["ana", "ben"]);
	member("joined", "carol", 7);
	member("joined", "dan", 8);
	assert.equal(missed.length, 0);
	interest.remind("g", 8);
	assert.equal(missed.length, 1, "nobody knows what came before");
	interest.endRoll("g", interest.beginRoll("g"), ["ana", "ben", "carol", "dan"], true);
	interest.remind("g", 8);
	assert.equal(missed.length, 1);
	member("left", "dan", 10);
	assert.equal(missed.length, 2);
	interest.remind("g", 12);
	assert.equal(missed.length, 3);
	interest.remind("g", 0);
	assert.equal(missed.length, 4, "it is gone");
});

test("who turns out to be no member follows no longer and is not followed, whoever turns out to be one is; what happens meanwhile counts", () => {
	const { interest, follower, member } = house();
	const [ana, eve, sam] = [follower("ana"), follower("eve"), follower("sam")];
	const doubted: string[] = [];
	interest.onDoubt = (ids) => void doubted.push(...ids);
	for (const one of [ana, eve, sam]) {
		interest.followGroup(one, "g");
		interest.setMembers(one, "g", ["ana", "eve", "sam", "ben"], one === sam);
	}
	const about = interest.beginRoll("g");
	assert.deepEqual(new Set(about), new Set(["ana", "eve", "sam", "ben"]));
	member("joined", "fay", 2);
	member("left", "gus", 3);
	const late = follower("late");
	interest.followGroup(late, "g");
	interest.setMembers(late, "g", ["ana", "late"], true);
	interest.endRoll("g", about, ["ana", "sam", "carol", "gus"], true);
	assert.ok(interest.followersOf("g").includes(late), "nobody asked about her");
	assert.deepEqual(doubted, ["fay", "carol"]);
	interest.changed(["ana", "ben", "carol", "fay", "gus"].map((id) => entry(id, "online")));
	assert.deepEqual(ana.heard, ["ana online", "carol online", "fay online"]);
	assert.deepEqual(eve.heard, [], "she is out");
	assert.deepEqual(sam.heard, ["ana online"], "of a large group only the sample");
});
