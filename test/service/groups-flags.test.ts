// Moderation: who reports what to whom, who decides about it, and that it is written down.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { before, describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { eventually, groupOf, hear, is, person, testApp, told } from "../support/kit.ts";
import type { Person } from "../support/kit.ts";
import { http } from "../support/kit.ts";

const app = await testApp();
const [ana, ben, cem, eve, mod] = await Promise.all([
	person(app.url, "Ana"),
	person(app.url, "Ben"),
	person(app.url, "Cem"),
	person(app.url, "Eve"),
	person(app.url, "Mod"),
]);

/** Gives an account a role, as the operators' command does; the next token carries it. */
async function promote(who: Person, role: string): Promise<void> {
	await database("identity").query("update accounts set role = $2 where id = $1", [who.accountId, role]);
	const { body } = is(await http(app.url, "/api/auth/login", { body: { email: who.email, password: who.password } }), 200);
	who.accessToken = body.tokens.accessToken;
}
before(() => promote(mod, "moderator"));

const write = async (by: Person, groupId: string, content: string): Promise<number> =>
	is(await by.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content }), 201).body.seq;
const flag = (by: Person, groupId: string, seq: number, reason: unknown = "It is rude.") =>
	by.post(`/api/groups/${groupId}/messages/${seq}/flag`, { reason });
const queue = async (by: Person, groupId: string, more = "") => is(await by.get(`/api/groups/${groupId}/flags${more}`), 200).body.data;
/** Ana's group, of which Ben is a moderator, Cem and Eve members. */
async function moderated(isPublic = true): Promise<string> {
	const groupId = await groupOf(ana, ben, cem, eve);
	is(await ana.send("PATCH", `/api/groups/${groupId}/members/${ben.profileId}`, { role: "moderator" }), 200);
	if (!isPublic) is(await ana.send("PATCH", `/api/groups/${groupId}`, { isPublic: false }), 200);
	return groupId;
}
const audited = async (target: string): Promise<{ action: string; actor: string; detail: Record<string, unknown>; requestId: string }[]> =>
	database("identity").query(`select action, actor, detail, request_id as "requestId" from audit where target = $1 order by seq`, [target]);

describe("a report", () => {
	test("is made by a member, of somebody else's message that is there, once", async () => {
		const groupId = await moderated();
		const seq = await write(cem, groupId, "rubbish");
		const { body } = is(await flag(eve, groupId, seq), 201);
		assert.partialDeepStrictEqual(body, { groupId, seq, reason: "It is rude.", state: "open" });
		const again = is(await flag(eve, groupId, seq, "Again."), 409, "already-flagged");
		assert.equal(again.body.flagId, body.id);
		is(await flag(ben, groupId, seq), 201);
		is(await flag(cem, groupId, seq), 403, "forbidden");
		is(await flag(mod, groupId, seq), 403, "not-member");
		is(await flag(eve, groupId, 999), 404, "not-found");
		is(await flag(eve, groupId, 1), 404, "not-found");
		is(await flag(eve, randomUUID(), seq), 404, "not-found");
		for (const reason of ["", " ", "x".repeat(501), "a\u0000", null, 3]) is(await flag(ana, groupId, seq, reason), 422, "validation");
		const gone = await write(cem, groupId, "gone");
		is(await cem.send("DELETE", `/api/groups/${groupId}/messages/${gone}`), 204);
		is(await flag(eve, groupId, gone), 409, "deleted");
		const [fact] = await told("groups.message.flagged", groupId);
		assert.deepEqual(fact?.payload, {
			...{ groupId, groupName: "Menders", seq, flagId: body.id, senderId: cem.profileId },
			moderators: [ana.profileId, ben.profileId],
		});
	});

	test("is told to the group's moderators, about which message but not by whom, newest first", async () => {
		const groupId = await moderated();
		const [one, two] = [await write(cem, groupId, "one"), await write(cem, groupId, "two")];
		for (const seq of [one, two]) is(await flag(eve, groupId, seq, `About ${seq}`), 201);
		for (const by of [ana, ben]) {
			const flags = await queue(by, groupId);
			assert.deepEqual(
				flags.map(({ seq, reason, message }: { seq: number; reason: string; message: { content: string; by: object } }) => [
					seq,
					reason,
					message.content,
				]),
				[
					[two, `About ${two}`, "two"],
					[one, `About ${one}`, "one"],
				],
			);
			assert.doesNotMatch(JSON.stringify(flags), new RegExp(eve.profileId));
		}
		const first = is(await ana.get(`/api/groups/${groupId}/flags?limit=1`), 200).body;
		assert.deepEqual((await queue(ana, groupId, `?limit=1&cursor=${first.nextCursor}`))[0].seq, one);
		is(await eve.get(`/api/groups/${groupId}/flags`), 403, "forbidden");
		is(await mod.get(`/api/groups/${groupId}/flags`), 403, "not-member");
		is(await ana.get(`/api/groups/${groupId}/flags?state=lost`), 422, "validation");
	});

	test("is resolved or dismissed once, by a moderator whose message it is not about, and stays to be looked up", async () => {
		const groupId = await moderated();
		const [byCem, byBen] = [await write(cem, groupId, "rubbish"), await write(ben, groupId, "rubbish, too")];
		const [one, two] = [is(await flag(eve, groupId, byCem), 201).body.id, is(await flag(eve, groupId, byBen), 201).body.id];
		const settle = (by: Person, id: string, how: string, body: object = {}) => by.post(`/api/groups/${groupId}/flags/${id}/${how}`, body);
		is(await settle(eve, one, "resolve"), 403, "forbidden");
		is(await settle(ben, two, "dismiss"), 403, "forbidden");
		is(await settle(ben, randomUUID(), "dismiss"), 404, "not-found");
		is(await ana.post(`/api/groups/${await groupOf(ana)}/flags/${one}/resolve`), 404, "not-found");
		const settled = is(await settle(ben, one, "resolve", { note: "Talked to Cem." }), 200).body;
		assert.partialDeepStrictEqual(settled, { id: one, state: "resolved", settledBy: ben.profileId, note: "Talked to Cem." });
		assert.equal(is(await settle(ana, one, "dismiss"), 409, "wrong-state").body.state, "resolved");
		is(await ana.post(`/api/groups/${groupId}/flags/${two}/dismiss`), 200);
		assert.deepEqual(await queue(ana, groupId), []);
		assert.deepEqual(
			(await queue(ana, groupId, "?state=resolved")).map(({ id }: { id: string }) => id),
			[one],
		);
		assert.deepEqual(
			(await queue(ana, groupId, "?state=dismissed")).map(({ id }: { id: string }) => id),
			[two],
		);
		// The tombstone of what it was about is shown, and nothing of the text.
		is(await ana.send("DELETE", `/api/groups/${groupId}/messages/${byCem}`), 204);
		const [shown] = await queue(ana, groupId, "?state=resolved");
		assert.deepEqual([shown.message.content, typeof shown.message.deletedAt], [null, "string"]);
	});
});

describe("moderators of the platform", () => {
	test("see the reports of all groups and who made them, settle them, and delete what they are about", async () => {
		const [groupId, other] = [await moderated(false), await moderated()];
		const [seq, elsewhere] = [await write(ana, groupId, "rubbish"), await write(cem, other, "rubbish")];
		const one = is(await flag(eve, groupId, seq), 201).body.id;
		const two = is(await flag(eve, other, elsewhere), 201).body.id;
		const all = is(await mod.get("/api/admin/flags?limit=100"), 200).body.data;
		assert.deepEqual(
			all.slice(0, 2).map((flag: Record<string, unknown>) => [flag.id, flag.groupId, flag.groupName, flag.reporterId]),
			[
				[two, other, "Menders", eve.profileId],
				[one, groupId, "Menders", eve.profileId],
			],
		);
		assert.deepEqual(
			is(await mod.get(`/api/admin/flags?groupId=${groupId}`), 200).body.data.map(({ id }: { id: string }) => id),
			[one],
		);
		const remove = (by: Person) => by.send("DELETE", `/api/admin/groups/${groupId}/messages/${seq}`);
		for (const by of [eve, ana]) {
			is(await by.get("/api/admin/flags"), 403, "forbidden");
			is(await by.post(`/api/admin/flags/${one}/resolve`), 403, "forbidden");
			is(await remove(by), 403, "forbidden");
		}
		// The group is private, the sender its admin, and the moderator of the platform no member.
		is(await mod.get(`/api/groups/${groupId}`), 404, "not-found");
		for (let i = 0; i < 2; i++) is(await remove(mod), 204);
		const message = is(await ana.get(`/api/groups/${groupId}/messages/${seq}`), 200).body;
		assert.deepEqual([message.content, typeof message.deletedAt], [null, "string"]);
		is(await mod.send("DELETE", `/api/admin/groups/${groupId}/messages/999`), 404, "not-found");
		is(await mod.send("DELETE", `/api/admin/groups/${randomUUID()}/messages/1`), 404, "not-found");
		assert.partialDeepStrictEqual(is(await mod.post(`/api/admin/flags/${one}/resolve`), 200).body, {
			state: "resolved",
			settledBy: mod.profileId,
		});
		is(await mod.post(`/api/admin/flags/${one}/dismiss`), 409, "wrong-state");
		is(await mod.post(`/api/admin/flags/${randomUUID()}/dismiss`), 404, "not-found");
	});
});

describe("what moderators do", () => {
	test("is in the audit, once, with the account that did it, and the chain holds", async () => {
		const groupId = await moderated();
		const [one, two, own] = [await write(cem, groupId, "one"), await write(cem, groupId, "two"), await write(ben, groupId, "own")];
		const id = is(await flag(eve, groupId, one), 201).body.id;
		is(await ben.send("DELETE", `/api/groups/${groupId}/messages/${one}`), 204);
		is(await ben.post(`/api/groups/${groupId}/flags/${id}/resolve`), 200);
		is(await mod.send("DELETE", `/api/admin/groups/${groupId}/messages/${two}`), 204);
		is(await ben.send("DELETE", `/api/groups/${groupId}/messages/${own}`), 204);
		const entries = await eventually(async () => {
			const rows = await audited(groupId);
			assert.equal(rows.length, 3);
			return rows;
		});
		assert.deepEqual(
			entries.map(({ action, actor, detail }) => [action, actor, detail.office, detail.byId, detail.profileId, detail.seq]),
			[
				["groups.message.delete", ben.accountId, "group", ben.profileId, cem.profileId, one],
				["groups.flag.resolve", ben.accountId, "group", ben.profileId, cem.profileId, one],
				["groups.message.delete", mod.accountId, "platform", mod.profileId, cem.profileId, two],
			],
		);
		assert.ok(entries.every(({ requestId }) => requestId));
		for (const how of ["ban", "unban"]) is(await ben.post(`/api/groups/${groupId}/members/${cem.profileId}/${how}`), 204);
		const more = await eventually(async () => {
			const rows = await audited(groupId);
			assert.equal(rows.length, 6);
			return rows.slice(3);
		});
		assert.deepEqual(
			more.map(({ action, actor, detail }) => [action, actor, detail.profileId]).sort(),
			["ban", "kick", "unban"].map((deed) => [`groups.member.${deed}`, ben.accountId, cem.profileId]),
		);
		// Heard twice it is one deed.
		await hear(app.broker, ...(await told("groups.moderation.done", groupId)));
		assert.equal((await audited(groupId)).length, 6);
	});
});
