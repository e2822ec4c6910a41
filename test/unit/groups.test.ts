// What groups decide, without a store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import type { MemberRole } from "../../services/contracts/groups.ts";
import type { GroupDecision, Moment } from "../../services/groups/domain/decision.ts";
import type { GroupState } from "../../services/groups/domain/group.ts";
import { evolve, viewGroup, visible } from "../../services/groups/domain/group.ts";
import { acceptInvite, invite } from "../../services/groups/domain/invites.ts";
import { create, edit, remove } from "../../services/groups/domain/life.ts";
import { join, kick, leave, setRole } from "../../services/groups/domain/members.ts";
import { deleteMessage, editMessage, post, react, readTo } from "../../services/groups/domain/messages.ts";

const GROUP = "018f0000-0000-7000-8000-000000000000";
const AT = "2026-01-02T03:04:05.000Z";
const LATER = "2026-01-09T03:04:05.000Z";
const by = (profileId: string): Moment => ({ by: { profileId, displayName: profileId.toUpperCase() }, at: AT, id: `event-${profileId}` });
const refuses = (code: string, decide: () => unknown) =>
	assert.throws(decide, (error) => isProblem(error, code as never), `should be refused as ${code}`);

/** The state after a decision. */
function after(state: GroupState | null, decision: GroupDecision): GroupState | null {
	return decision.events.reduce((group, event) => evolve(group, GROUP, (group?.head ?? 0) + 1, event), state);
}

/** A group of `ana` the admin and others with their roles. */
function group(members: Record<string, MemberRole> = {}, isPublic = true): GroupState {
	let state = after(null, create(null, GROUP, by("ana"), { name: "Loop", description: "", isPublic }));
	for (const [profileId, role] of Object.entries(members)) {
		state = after(state, acceptInvite(state, by(profileId), { id: "invite", inviterId: "ana", inviteeId: profileId, role }));
	}
	return state as GroupState;
}

test("the creator is the first admin, and the creation is event 1", () => {
	const state = group();
	assert.equal(state.head, 1);
	assert.deepEqual(viewGroup(state, "ana", 0, new Date(AT)), {
		id: GROUP,
		name: "Loop",
		description: "",
		isPublic: true,
		kind: "group",
		peer: null,
		avatar: null,
		role: "admin",
		memberCount: 1,
		head: 1,
		unread: 0,
		mutedUntil: null,
		createdAt: AT,
	});
});

test("a private group does not exist for a stranger, a public one does", () => {
	refuses("not-found", () => visible(group({}, false), "eve"));
	assert.equal(visible(group({}, true), "eve").id, GROUP);
	refuses("not-found", () => visible(null, "ana"));
});

test("joining twice is joining once", () => {
	const state = after(group(), join(group(), by("ben")));
	assert.deepEqual(join(state, by("ben")).events, []);
	assert.equal(join(state, by("ben")).answer([]).state, "member");
});

test("asking to join a private group makes a request and no event", () => {
	const decision = join(group({}, false), by("eve"));
	assert.deepEqual(decision.events, []);
	assert.equal(decision.answer([]).state, "requested");
	assert.deepEqual(
		decision.effects.map((effect) => effect.kind),
		["requestJoin"],
	);
});

test("a new member has read everything up to their joining", () => {
	assert.equal(group({ ben: "member" }).members.get("ben")?.readSeq, 2);
});

test("the last admin cannot leave without naming another member, who becomes admin first", () => {
	const state = group({ ben: "member" });
	refuses("last-admin", () => leave(state, by("ana"), undefined));
	refuses("validation", () => leave(state, by("ana"), "eve"));
	refuses("validation", () => leave(state, by("ana"), "ana"));
	const left = after(group({ ben: "member" }), leave(state, by("ana"), "ben"));
	assert.equal(left?.members.get("ben")?.role, "admin");
	assert.equal(left?.members.has("ana"), false);
});

test("when the last member leaves, the group is gone", () => {
	assert.equal(after(group(), leave(group(), by("ana"), undefined)), null);
});

test("nobody acts on an equal or a higher role, nor on themselves", () => {
	const state = group({ mod: "moderator", mod2: "moderator", ben: "member" });
	refuses("rank", () => kick(state, by("mod"), "ana"));
	refuses("rank", () => kick(state, by("mod"), "mod2"));
	refuses("rank", () => kick(state, by("ana"), "ana"));
	refuses("rank", () => setRole(state, by("ana"), "ana", "member"));
	refuses("forbidden", () => kick(state, by("ben"), "mod"));
	refuses("forbidden", () => setRole(state, by("mod"), "ben", "moderator"));
	refuses("not-found", () => kick(state, by("ana"), "eve"));
	assert.equal(after(state, kick(state, by("mod"), "ben"))?.members.has("ben"), false);
});

test("only admins edit and delete, and an edit that changes nothing is no event", () => {
	const state = group({ mod: "moderator" });
	refuses("forbidden", () => edit(state, by("mod"), { name: "Mine" }));
	refuses("forbidden", () => remove(state, by("mod")));
	assert.deepEqual(edit(state, by("ana"), { name: "Loop" }).events, []);
	assert.equal(after(state, edit(state, by("ana"), { name: "Loops" }))?.name, "Loops");
});

test("members invite into public groups as members, and nobody gives more than they have", () => {
	const made = (role: MemberRole) => ({ id: "i", inviterId: "ben", inviteeId: "eve", email: null, role, expiresAt: LATER, createdAt: AT });
	const open = group({ ben: "member" });
	const known = { banned: false, blocked: false, open: undefined };
	assert.equal(invite(open, by("ben"), made("member")).effects.length, 1);
	refuses("rank", () => invite(open, by("ben"), made("moderator")));
	refuses("forbidden", () => invite(group({ ben: "member" }, false), by("ben"), made("member")));
	refuses("not-member", () => invite(open, by("eve"), made("member")));
	refuses("already-invited", () => invite(open, by("ben"), made("member"), { ...known, open: { ...made("member"), id: "other" } }));
	refuses("already-member", () => invite(open, by("ana"), { ...made("member"), inviteeId: "ben" }));
});

test("an invite carries its role into the membership", () => {
	assert.equal(group({ mod: "moderator" }).members.get("mod")?.role, "moderator");
});

const message = { id: "m", clientId: "c", kind: "text" as const, content: "hello" };

test("only members post, and the fact carries the number of the event", () => {
	refuses("not-member", () => post(group(), 0, by("eve"), message));
	refuses("not-found", () => post(group({}, false), 0, by("eve"), message));
	const [fact] = post(group(), 0, by("ana"), message).facts([7]);
	assert.deepEqual(fact, {
		type: "groups.message.posted",
		aggregate: GROUP,
		payload: { groupId: GROUP, seq: 7, messageId: "m", senderId: "ana", kind: "text", content: "hello" },
	});
});

test("a reply refers to what is in the log or waits in the same commit, a mention to a member", () => {
	refuses("validation", () => post(group(), 0, by("ana"), { ...message, replyTo: 2 }));
	assert.equal(post(group(), 1, by("ana"), { ...message, replyTo: 2 }).events.length, 1);
	refuses("validation", () => post(group(), 0, by("ana"), { ...message, mentions: ["eve"] }));
});

test("only its sender edits a message, and nobody a deleted one", () => {
	const state = group({ ben: "member" });
	const mine = { seq: 3, senderId: "ben", deletedAt: null };
	refuses("forbidden", () => editMessage(state, by("ana"), mine, "other"));
	refuses("not-found", () => editMessage(state, by("ben"), undefined, "other"));
	refuses("deleted", () => editMessage(state, by("ben"), { ...mine, deletedAt: AT }, "other"));
	assert.equal(editMessage(state, by("ben"), mine, "other").answer([9]).eventSeq, 9);
});

test("its sender and moderators delete a message, once", () => {
	const state = group({ ben: "member", cem: "member", mod: "moderator" });
	const target = { seq: 3, senderId: "ben", deletedAt: null };
	refuses("forbidden", () => deleteMessage(state, by("cem"), target));
	assert.equal(deleteMessage(state, by("mod"), target).events.length, 1);
	assert.equal(deleteMessage(state, by("ben"), { ...target, deletedAt: AT }).events.length, 0);
});

test("reacting twice the same way is one event", () => {
	const target = { seq: 3, senderId: "ana", deletedAt: null };
	assert.equal(react(group(), by("ana"), target, "♻️", true, false).events.length, 1);
	assert.equal(react(group(), by("ana"), target, "♻️", true, true).events.length, 0);
	assert.equal(react(group(), by("ana"), target, "♻️", false, false).events.length, 0);
});

test("a read mark goes forward only, and not beyond the log", () => {
	const state = group({ ben: "member" });
	assert.equal(readTo(state, "ana", 2), 2);
	assert.equal(readTo(state, "ben", 1), 2);
	refuses("validation", () => readTo(state, "ana", 3));
});
