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
import { asEmoji } from "../../services/groups/domain/emoji.ts";
import type { Target } from "../../services/groups/domain/messages.ts";
import {
	checkWritten,
	deleteForAll,
	deleteMessage,
	editMessage,
	excerptOf,
	post,
	react,
	readTo,
} from "../../services/groups/domain/messages.ts";

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
const target = (senderId: string, more: Partial<Target> = {}): Target => ({ seq: 3, senderId, deletedAt: null, attachments: [], ...more });

test("only members post, and the fact carries the number of the event", () => {
	refuses("not-member", () => post(group(), by("eve"), message));
	refuses("not-found", () => post(group({}, false), by("eve"), message));
	const [fact] = post(group(), by("ana"), message).facts([7]);
	assert.deepEqual(fact, {
		type: "groups.message.posted",
		aggregate: GROUP,
		payload: {
			...{ groupId: GROUP, groupName: "Loop", seq: 7, messageId: "m", senderId: "ana", displayName: "ANA" },
			...{ kind: "text", content: "hello", excerpt: "hello", mentions: [], attachments: [] },
		},
	});
});

test("a reply refers to a message that is there and not deleted, and its fact to who wrote that", () => {
	const reply = { ...message, replyTo: 3 };
	refuses("validation", () => post(group(), by("ana"), reply));
	refuses("validation", () => post(group(), by("ana"), reply, { repliedTo: target("ben", { deletedAt: AT }) }));
	const [fact] = post(group({ ben: "member" }), by("ana"), reply, { repliedTo: target("ben") }).facts([7]);
	assert.partialDeepStrictEqual(fact?.payload, { replyTo: 3, repliedToId: "ben" });
	const [left] = post(group(), by("ana"), reply, { repliedTo: target("eve") }).facts([7]);
	assert.partialDeepStrictEqual(left?.payload, { replyTo: 3 });
	assert.ok(left && !("repliedToId" in left.payload), "who has left hears nothing of it");
});

test("a mention is of a member, and who is blocked hears nothing of it", () => {
	refuses("validation", () => post(group(), by("ana"), { ...message, mentions: ["eve"] }));
	const state = group({ ben: "member", cem: "member" });
	const { events, facts } = post(state, by("ana"), { ...message, mentions: ["ben", "cem"] }, { deaf: new Set(["cem"]) });
	assert.partialDeepStrictEqual(events, [{ message: { mentions: ["ben", "cem"] } }]);
	assert.partialDeepStrictEqual(facts([7])[0]?.payload, { mentions: ["ben"] });
});

test("what is written says something, with words or with pictures, and is nothing of what cannot be done yet", () => {
	const written = (more: object) => () => checkWritten({ kind: "text", content: "", attachments: [], ...more });
	for (const content of ["", " \n\t", "\u00a0"]) refuses("validation", written({ content }));
	for (const content of ["a", "\u202eabc", "\u0301".repeat(4000), "👨‍👩‍👧‍👦"]) written({ content })();
	written({ attachments: ["one"] })();
	refuses("validation", written({ attachments: ["one", "two", "one"] }));
	refuses("validation", written({ kind: "borrow", content: "a drill" }));
	refuses("validation", written({ content: "a drill", itemId: "drill" }));
});

test("an excerpt ends between characters", () => {
	assert.equal(excerptOf("short"), "short");
	assert.equal(excerptOf("🪡".repeat(200)), "🪡".repeat(140));
});

test("only its sender edits a message, and nobody a deleted one, or one to nothing", () => {
	const state = group({ ben: "member" });
	const mine = target("ben");
	refuses("forbidden", () => editMessage(state, by("ana"), mine, "other"));
	refuses("not-found", () => editMessage(state, by("ben"), undefined, "other"));
	refuses("deleted", () => editMessage(state, by("ben"), { ...mine, deletedAt: AT }, "other"));
	refuses("validation", () => editMessage(state, by("ben"), mine, " "));
	assert.equal(editMessage(state, by("ben"), { ...mine, attachments: ["one"] }, "").events.length, 1);
	assert.equal(editMessage(state, by("ben"), mine, "other").answer([9]).eventSeq, 9);
});

test("its sender deletes a message, and a moderator whose rank is higher than theirs, once", () => {
	const state = group({ ben: "member", cem: "member", mod: "moderator", dia: "moderator" });
	refuses("forbidden", () => deleteMessage(state, by("cem"), target("ben")));
	for (const senderId of ["ben", "mod", "who has left"]) assert.equal(deleteMessage(state, by("mod"), target(senderId)).events.length, 1);
	for (const senderId of ["dia", "ana"]) refuses("rank", () => deleteMessage(state, by("mod"), target(senderId)));
	assert.equal(deleteMessage(state, by("ana"), target("mod")).events.length, 1);
	assert.equal(deleteMessage(state, by("ben"), target("ben", { deletedAt: AT })).events.length, 0);
	assert.equal(deleteForAll(state, by("eve"), target("ana")).events.length, 1);
});

test("reacting twice the same way is one event", () => {
	const standing = new Map([["♻️", true]]);
	assert.equal(react(group(), by("ana"), target("ana"), "♻️", true, new Map()).events.length, 1);
	assert.equal(react(group(), by("ana"), target("ana"), "♻️", true, standing).events.length, 0);
	assert.equal(react(group(), by("ana"), target("ana"), "♻️", false, new Map([["♻️", false]])).events.length, 0);
	assert.equal(react(group(), by("ana"), target("ana"), "♻️", false, standing).events.length, 1);
});

test("a message carries twenty different emoji, and each of them as often as there are people", () => {
	const standing = new Map(Array.from({ length: 20 }, (_, i) => [`emoji ${i}`, false]));
	refuses("too-many-emoji", () => react(group(), by("ana"), target("ana"), "♻️", true, standing));
	assert.equal(react(group(), by("ana"), target("ana"), "emoji 3", true, standing).events.length, 1);
});

test("one emoji is a reaction, however it is made and written, and nothing else is", () => {
	const same = ["👍", "❤️", "♻️", "👩‍⚕️", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇵🇹", "1️⃣", "👨‍👩‍👧‍👦", "👩🏿‍❤️‍💋‍👩🏽", "🕵🏽‍♂️", "☝🏿"];
	for (const emoji of same) assert.equal(asEmoji(emoji), emoji);
	for (const [half, whole] of [
		["❤", "❤️"],
		["1\u20e3", "1️⃣"],
		["👩‍⚕", "👩‍⚕️"],
	] as const)
		assert.equal(asEmoji(half), whole);
	for (const text of ["", "a", "1", "#", "👍👍", "👍 ", "🇵", "🇵🇹🇪🇸", "\u200d", "\ufe0f", ":+1:", "👍a"])
		assert.equal(asEmoji(text), null, text);
});

test("a read mark goes forward only, and not beyond the log", () => {
	const state = group({ ben: "member" });
	assert.equal(readTo(state, "ana", 2), 2);
	assert.equal(readTo(state, "ben", 1), 2);
	refuses("validation", () => readTo(state, "ana", 3));
});
