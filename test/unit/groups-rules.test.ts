// The rules of membership, held against random commands of random people.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "../../services/contracts/errors.ts";
import type { MemberRole } from "../../services/contracts/groups.ts";
import { ban, unban } from "../../services/groups/domain/bans.ts";
import type { GroupDecision, Moment, OpenInvite } from "../../services/groups/domain/decision.ts";
import { depart } from "../../services/groups/domain/depart.ts";
import type { Caller, GroupState, Member } from "../../services/groups/domain/group.ts";
import { atLeast, evolve, outranks } from "../../services/groups/domain/group.ts";
import { acceptInvite, declineInvite, expireInvite, invite, revokeInvite } from "../../services/groups/domain/invites.ts";
import { create, edit, remove } from "../../services/groups/domain/life.ts";
import { join, kick, leave, setRole } from "../../services/groups/domain/members.ts";
import { acceptRequest, declineRequest } from "../../services/groups/domain/requests.ts";
import { NotKnown, Roster } from "../../services/groups/domain/roster.ts";

const GROUP = "g";
const people = ["ana", "ben", "cem", "dia", "eve", "fay"] as const;
const roles: readonly MemberRole[] = ["member", "moderator", "admin"];
const commands = [
	...[
		"join",
		"leave",
		"depart",
		"kick",
		"ban",
		"unban",
		"setRole",
		"invite",
		"accept",
		"decline",
		"revoke",
		"expire",
		"let",
		"turn",
		"edit",
		"remove",
	],
] as const;

interface Step {
	command: (typeof commands)[number];
	actor: string;
	other: string;
	role: MemberRole;
	isPublic: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
	command: fc.constantFrom(...commands),
	actor: fc.constantFrom(...people),
	other: fc.constantFrom(...people),
	role: fc.constantFrom(...roles),
	isPublic: fc.boolean(),
});

/** What the store keeps besides the log, as far as it matters here. */
class Rows {
	readonly bans = new Set<string>();
	readonly requests = new Set<string>();
	readonly invites = new Map<
		string,
		OpenInvite & { state: "pending" | "accepted" | "declined" | "expired" | "revoked"; expiresAt: string }
	>();

	standing(profileId: string) {
		return { banned: this.bans.has(profileId), requested: this.requests.has(profileId), invite: this.openTo(profileId) };
	}
	openTo(profileId: string) {
		return [...this.invites.values()].find(({ inviteeId, state }) => inviteeId === profileId && state === "pending");
	}
	around(profileId: string, to: boolean): OpenInvite[] {
		return [...this.invites.values()].filter(
			({ inviterId, inviteeId, state }) => state === "pending" && (inviterId === profileId || (to && inviteeId === profileId)),
		);
	}

	write({ events, effects }: GroupDecision): void {
		for (const event of events) {
			if (event.type !== "member") continue;
			if (event.action === "banned") this.bans.add(event.profileId);
			if (event.action === "banned" || event.action === "joined") this.requests.delete(event.profileId);
		}
		for (const effect of effects) {
			if (effect.kind === "requestJoin") this.requests.add(effect.profileId);
			else if (effect.kind === "endRequest") this.requests.delete(effect.profileId);
			else if (effect.kind === "unban") this.bans.delete(effect.profileId);
			else if (effect.kind === "addInvite") this.invites.set(effect.invite.id, { ...effect.invite, state: "pending" });
			else (this.invites.get(effect.inviteId) as { state: string }).state = effect.state;
		}
	}
}

const LATER = "2026-02-01T00:00:00.000Z";
const caller = (profileId: string): Caller => ({ profileId, displayName: profileId.toUpperCase() });
const moment = (actor: string, at: number): Moment => ({
	by: caller(actor),
	at: new Date(Date.UTC(2026, 0, 1) + at).toISOString(),
	id: `e${at}`,
});

function decide({ command, actor, other, role, isPublic }: Step, at: number, state: GroupState | null, rows: Rows): GroupDecision {
	const now = moment(actor, at);
	const standing = rows.standing(actor);
	const open = rows.openTo(other);
	switch (command) {
		case "join":
			return join(state, now, standing);
		case "leave":
			return leave(state, now, other, standing);
		case "depart":
			return depart(state, now, actor);
		case "kick":
			return kick(state, now, other, rows.around(other, false));
		case "ban":
			return ban(state, now, caller(other), rows.standing(other), rows.around(other, true));
		case "unban":
			return unban(state, now, other, rows.standing(other));
		case "setRole":
			return setRole(state, now, other, role);
		case "invite": {
			const made = { id: `i${at}`, inviterId: actor, inviteeId: other, email: null, role, expiresAt: LATER, createdAt: now.at };
			return invite(state, now, made, { banned: rows.bans.has(other), blocked: false, open });
		}
		case "accept":
			return standing.invite ? acceptInvite(state, now, standing.invite, standing) : join(state, now, standing);
		case "decline":
			return standing.invite ? declineInvite(state, now, standing.invite) : join(state, now, standing);
		case "revoke":
			return revokeInvite(state, now, open);
		case "expire":
			return expireInvite(state, { ...now, at: isPublic ? LATER : now.at }, open);
		case "let":
			return acceptRequest(state, now, rows.requests.has(other) ? caller(other) : undefined, open);
		case "turn":
			return declineRequest(state, now, rows.requests.has(other) ? caller(other) : undefined);
		case "edit":
			return edit(state, now, { isPublic, name: role });
		case "remove":
			return remove(state, now);
		default:
			return command satisfies never;
	}
}

/** What a decision makes of a state; null: it was refused, and nothing else may be thrown. */
function tryIt(work: () => GroupDecision): GroupDecision | null {
	try {
		return work();
	} catch (error) {
		assert.ok(isProblem(error), String(error));
		return null;
	}
}

const everybody = (state: GroupState | null): [string, MemberRole][] =>
	people.flatMap((id): [string, MemberRole][] => {
		const member = state?.members.get(id);
		return member ? [[id, member.role]] : [];
	});

/** What must hold after any step. */
function check(
	before: [string, MemberRole][],
	state: GroupState | null,
	rows: Rows,
	decision: GroupDecision,
	{ actor, command }: Step,
): void {
	const now = everybody(state);
	if (state) {
		assert.ok(state.members.admins() >= 1, "somebody runs it");
		assert.equal(state.members.size, now.length, "members are counted right");
		assert.deepEqual(
			state.members
				.staff()
				.map(([id]) => id)
				.sort(),
			now
				.filter(([, role]) => role !== "member")
				.map(([id]) => id)
				.sort(),
		);
	}
	for (const [id] of now) assert.ok(!rows.bans.has(id), "who is banned is no member");
	for (const id of rows.requests)
		assert.ok(!now.some(([member]) => member === id) && !rows.bans.has(id), "who asks is neither in nor banned");
	for (const one of rows.invites.values())
		if (state && one.state === "pending")
			assert.ok(!rows.bans.has(one.inviteeId ?? "") && !state.members.has(one.inviteeId ?? ""), "an open invite is to who may come in");
	const open = [...rows.invites.values()].filter(({ state: at }) => at === "pending").map(({ inviteeId }) => inviteeId);
	assert.equal(new Set(open).size, open.length, "one open invite for each");
	const was = new Map(before);
	const mine = was.get(actor);
	for (const event of decision.events) {
		if (event.type !== "member" || command === "leave" || command === "depart") continue;
		const theirs = was.get(event.profileId);
		if (event.action === "kicked" || event.action === "banned")
			assert.ok(mine && atLeast(mine, "moderator") && (!theirs || outranks(mine, theirs)), "nobody acts on an equal or a higher role");
		if (event.action === "roleChanged") assert.ok(mine === "admin" && theirs !== "admin");
	}
	for (const effect of decision.effects)
		if (effect.kind === "addInvite") assert.ok(mine && atLeast(mine, effect.invite.role), "nobody gives more than they have");
}

const begin = (isPublic: boolean): GroupDecision => create(null, GROUP, moment("ana", 0), { name: "Loop", description: "", isPublic });
const after = (state: GroupState | null, { events }: GroupDecision): GroupState | null =>
	events.reduce((group, event) => evolve(group, GROUP, (group?.head ?? 0) + 1, event), state);

test("whatever anybody tries, somebody runs a group, nobody banned is in it, and nobody goes beyond their role", () => {
	let applied = 0;
	fc.assert(
		fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (isPublic, steps) => {
			const rows = new Rows();
			let state = after(null, begin(isPublic));
			for (const [index, one] of steps.entries()) {
				const before = everybody(state);
				const decision = tryIt(() => decide(one, index + 1, state, rows));
				if (!decision) continue;
				decision.facts(decision.events.map((_, at) => at + 1));
				decision.answer([]);
				state = after(state, decision);
				rows.write(decision);
				check(before, state, rows, decision, one);
				applied++;
			}
		}),
		{ numRuns: 1_000 },
	);
	assert.ok(applied > 1_000, `${applied} commands were good`);
});

/** Decides on a group of which only those who run it are in memory; who is asked about is read from `all`. */
function piecemeal<R>(state: GroupState | null, all: GroupState | null, work: () => R): R {
	for (;;) {
		try {
			return work();
		} catch (error) {
			if (!(error instanceof NotKnown) || !state || !all) throw error;
			const rows = new Map<string, Member>();
			for (const id of error.profileIds) {
				const member = all.members.get(id);
				if (member) rows.set(id, { ...member });
			}
			state.members.learn(error.profileIds, rows, state.members.generation);
			if (error.eldestBeside !== undefined) {
				const first = all.members.firstBeside(error.eldestBeside);
				assert.ok(first);
				state.members.learnEldest(error.eldestBeside, first);
			}
		}
	}
}

test("a group of which only those who run it are in memory decides as one that is known whole", () => {
	fc.assert(
		fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), fc.array(fc.boolean(), { maxLength: 60 }), (isPublic, steps, forgets) => {
			const rows = new Rows();
			let whole = after(null, begin(isPublic));
			let part = after(null, begin(isPublic));
			for (const [index, one] of steps.entries()) {
				// The process forgets what it knew, as when the group's owner changes.
				if (forgets[index] && part) part = { ...part, members: new Roster(structuredClone(part.members.staff()), part.members.size) };
				const [expected, decided] = [
					tryIt(() => decide(one, index + 1, whole, rows)),
					tryIt(() => piecemeal(part, whole, () => decide(one, index + 1, part, rows))),
				];
				assert.deepEqual(decided?.events, expected?.events);
				assert.deepEqual(decided?.effects, expected?.effects);
				assert.deepEqual(decided?.facts([1, 2]), expected?.facts([1, 2]));
				if (!expected || !decided) continue;
				whole = after(whole, expected);
				part = after(part, decided);
				rows.write(expected);
				assert.equal(part?.members.size, whole?.members.size);
				assert.equal(part?.members.admins(), whole?.members.admins());
			}
		}),
		{ numRuns: 500 },
	);
});

test("what was read before entries were forgotten is not believed", () => {
	const member = (seq: number): Member => ({ displayName: "", role: "member", joinedAt: "", joinedSeq: seq, readSeq: 0, mutedUntil: null });
	const roster = new Roster([["ana", { ...member(1), role: "admin" }]], 30_000);
	const { generation } = roster;
	for (let i = 0; i < 20_001; i++) roster.enter(`p${i}`, member(i + 2));
	assert.notEqual(roster.generation, generation);
	assert.equal(roster.learn(["eve"], new Map([["eve", member(9)]]), generation), false);
	assert.throws(() => roster.has("eve"), NotKnown);
	assert.deepEqual([roster.size, roster.admins(), roster.get("ana")?.role], [50_001, 1, "admin"]);
});
