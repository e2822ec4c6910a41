// What is decided about persons: what a value is without one, and who follows a member that is gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { without } from "../../mixins/person/forget.ts";
import { service } from "../../mixins/service.ts";
import { contractOf, keeperNames, nodeNames } from "../../services/contracts/index.ts";
import { DELETED } from "../../services/contracts/persons.ts";
import { depart } from "../../services/groups/domain/depart.ts";
import type { GroupState } from "../../services/groups/domain/group.ts";
import { Roster } from "../../services/groups/domain/roster.ts";

const ids = new Set(["ana"]);
const NOBODY = DELETED.profileId;

test("a value without a person has nobody's id in place of theirs, and no name beside it", () => {
	assert.deepEqual(
		without(
			{ profileId: "ana", displayName: "Ana", by: { profileId: "ben", displayName: "Ben" }, all: ["ana", 1, null, { id: "ana" }] },
			ids,
		),
		{ profileId: NOBODY, displayName: "deleted", by: { profileId: "ben", displayName: "Ben" }, all: [NOBODY, 1, null, { id: NOBODY }] },
	);
	assert.deepEqual(without({ content: "ana says ana" }, ids), { content: "ana says ana" });
});

test("every node but the doors says what it keeps of persons, and one that does not cannot be made", () => {
	assert.deepEqual(
		nodeNames.filter((node) => !(keeperNames as readonly string[]).includes(node)),
		["api", "socket"],
	);
	for (const node of keeperNames) assert.equal(contractOf(`${node}.exportOf`).published, undefined);
	assert.throws(() => service("presence", { actions: {} as never }), /The node presence does not say what it keeps of persons/);
});

type Role = "member" | "moderator" | "admin";
const group = (...members: [id: string, role: Role][]): GroupState => ({
	...{
		id: "g",
		name: "Menders",
		description: "",
		isPublic: true,
		kind: "group" as const,
		avatar: null,
		creatorId: "ana",
		createdAt: "",
		head: 9,
	},
	members: new Roster(
		members.map(([id, role], index) => [id, { displayName: id, role, joinedAt: "", joinedSeq: index + 1, readSeq: 0, mutedUntil: null }]),
	),
});
const moment = { by: DELETED, at: "2026-03-01T10:00:00.000Z", id: "e" };
const events = (state: GroupState | null): string[][] =>
	depart(state, moment, "ana").events.map((event) =>
		event.type === "member" ? [event.action, event.profileId, event.displayName] : [event.type],
	);

test("a member that is gone leaves as nobody", () => {
	assert.deepEqual(events(group(["ana", "member"], ["ben", "admin"])), [["left", "ana", "deleted"]]);
	assert.deepEqual(depart(group(["ana", "member"], ["ben", "admin"]), moment, "ana").events[0]?.by, DELETED);
});
