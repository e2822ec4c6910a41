// What becomes of a group when a profile in it is gone for good.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberRole } from "../../services/contracts/groups.ts";
import type { Moment } from "../../services/groups/domain/decision.ts";
import { depart } from "../../services/groups/domain/depart.ts";
import type { GroupState } from "../../services/groups/domain/group.ts";
import { Roster } from "../../services/groups/domain/roster.ts";

const moment = (profileId: string): Moment => ({ by: { profileId, displayName: "" }, at: "2026-01-02T03:04:05.000Z", id: "event" });

/** A group with members in the order of their joining. */
function group(roles: Record<string, MemberRole>): GroupState {
	const members = Object.entries(roles).map(
		([id, role], at) =>
			[id, { displayName: id.toUpperCase(), role, joinedAt: "", joinedSeq: at + 1, readSeq: 0, mutedUntil: null }] as const,
	);
	return {
		id: "g",
		name: "Loop",
		description: "",
		isPublic: true,
		kind: "group",
		avatar: null,
		creatorId: "ana",
		createdAt: "",
		head: 9,
		members: new Roster(members),
	};
}

/** The events of a parting, in short. */
const events = (roles: Record<string, MemberRole>, who = "ana") =>
	depart(group(roles), moment(who), who).events.map((event) =>
		event.type === "member" ? `${event.profileId} ${event.action}` : `${event.type} ${"action" in event && event.action}`,
	);

test("the last admin is followed by who ranks highest, and of those by who joined first", () => {
	assert.deepEqual(events({ ana: "admin", ben: "member", cem: "moderator", dia: "moderator" }), ["cem roleChanged", "ana left"]);
	assert.deepEqual(events({ ana: "admin", ben: "member", cem: "member" }), ["ben roleChanged", "ana left"]);
});

test("nobody follows an admin beside whom there is another, or a member", () => {
	assert.deepEqual(events({ ana: "admin", ben: "member", cem: "admin" }), ["ana left"]);
	assert.deepEqual(events({ ana: "admin", ben: "member" }, "ben"), ["ben left"]);
});

test("the last member takes the group along; who is no member, nothing", () => {
	assert.deepEqual(events({ ana: "admin" }), ["group deleted"]);
	assert.deepEqual(events({ ana: "admin" }, "eve"), []);
	assert.deepEqual(depart(null, moment("eve"), "eve").events, []);
});

test("who is gone is called as the group knew them", () => {
	const [event] = depart(group({ ana: "admin", ben: "member" }), moment("ben"), "ben").events;
	assert.deepEqual(event?.by, { profileId: "ben", displayName: "BEN" });
});
