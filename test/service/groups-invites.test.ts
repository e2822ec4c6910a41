// Invites: to profiles and to addresses, and how each of them ends.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { settings } from "../../mixins/settings.ts";
import { mailsTo, mailTo } from "../support/mailbox.ts";
import type { Person } from "../support/kit.ts";
import { eventually, groupOf, is, person, testApp, told, turnClock } from "../support/kit.ts";

const app = await testApp();
const dataDir = settings(app.broker).DATA_DIR;
const people = (...names: string[]) => Promise.all(names.map((name) => person(app.url, name)));
const trio = () => people("Ana", "Ben", "Eve") as Promise<[Person, Person, Person]>;
const address = () => `guest-${randomUUID().slice(0, 8)}@example.org`;
const privateGroup = async (admin: Person): Promise<string> =>
	is(await admin.post("/api/groups", { name: "Menders", isPublic: false }), 201).body.id;
const invites = async (who: Person, groupId: string) => is(await who.get(`/api/groups/${groupId}/invites`), 200).body.data;
/** Proves that an account's address is its own. */
async function verify(who: Person): Promise<void> {
	const { code } = await mailTo(dataDir, who.email);
	is(await who.post("/api/auth/verify-email", { email: who.email, code }), 200);
}

test("an address is invited by a mail, in the language asked for, and whoever has its link comes in, once", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await privateGroup(ana);
	const to = address();
	const made = is(
		await ana.post(`/api/groups/${groupId}/invites`, { email: ` ${to.toUpperCase()} `, role: "moderator", language: "ar" }),
		201,
	).body;
	assert.partialDeepStrictEqual(made, {
		groupId,
		inviteeId: null,
		email: to,
		role: "moderator",
		state: "pending",
		inviterId: ana.profileId,
	});
	const mail = await mailTo(dataDir, to);
	assert.match(mail.html, /dir="rtl"/);
	assert.match(mail.text, /Menders/);
	assert.equal(mail.token, made.token);
	assert.equal((await mailsTo(dataDir, to)).length, 1);
	is(await ana.post(`/api/groups/${groupId}/invites`, { email: to }), 409, "already-invited");
	is(await ben.post(`/api/invites/${made.id}/accept`), 404, "not-found");
	const tampered = `${mail.token?.slice(0, -1)}${mail.token?.endsWith("A") ? "B" : "A"}`;
	for (const token of [tampered, "x", made.id]) is(await ben.post("/api/invites/accept", { token }), 404, "not-found");

	const accepted = is(await ben.post("/api/invites/accept", { token: mail.token }), 200).body;
	assert.partialDeepStrictEqual(accepted, { id: made.id, state: "accepted", inviteeId: ben.profileId });
	assert.equal((await ben.get(`/api/groups/${groupId}`)).body.role, "moderator");
	is(await eve.post("/api/invites/accept", { token: mail.token }), 404, "not-found");
	is(await ben.post("/api/invites/accept", { token: mail.token }), 409, "wrong-state");
	const [row] = await invites(ana, groupId);
	assert.deepEqual([row.state, "email" in row, "token" in row], ["accepted", false, false], "the address is forgotten");
	const [created] = await told("groups.invite.created", groupId);
	assert.ok(!JSON.stringify(created).includes(to), "no fact names the address");
	assert.partialDeepStrictEqual(created?.payload, {
		inviteId: made.id,
		inviteeId: null,
		groupName: "Menders",
		inviterName: "Ana",
		role: "moderator",
	});
	assert.equal((await told("groups.invite.accepted", groupId))[0]?.payload.inviteeId, ben.profileId);
});

test("of an address that has an account nothing else is told, and its account finds the invite once the address is proved", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await groupOf(ana, eve);
	const shape = async (email: string) => Object.keys(is(await ana.post(`/api/groups/${groupId}/invites`, { email }), 201).body).sort();
	assert.deepEqual(await shape(ben.email), await shape(address()));
	// A member's, too: that they are one is not told by their address.
	assert.deepEqual(await shape(eve.email), await shape(address()));
	assert.deepEqual((await ben.get("/api/invites")).body.data, []);
	await verify(ben);
	const [found] = (await ben.get("/api/invites")).body.data;
	assert.partialDeepStrictEqual(found, { groupId, email: ben.email, inviteeId: null });
	assert.equal(is(await ben.post(`/api/invites/${found.id}/accept`), 200).body.inviteeId, ben.profileId);
	const { token } = await mailTo(dataDir, eve.email, 2);
	is(await eve.post("/api/invites/accept", { token }), 409, "already-member");
	is(await eve.post("/api/invites/decline", { token }), 200);
});

test("an invite to an address is in the language of who invites, unless they say another", async () => {
	const [ana] = await people("Ana");
	is(await (ana as Person).send("PATCH", "/api/auth/me", { language: "pt" }), 200);
	const groupId = await privateGroup(ana as Person);
	for (const [language, word] of [
		[undefined, /convida-o/],
		["ku", /بانگهێشتت/],
		["en", /invites you/],
	] as const) {
		const to = address();
		is(await (ana as Person).post(`/api/groups/${groupId}/invites`, { email: to, ...(language && { language }) }), 201);
		assert.match((await mailTo(dataDir, to)).text, word);
	}
	is(await (ana as Person).post(`/api/groups/${groupId}/invites`, { email: address(), language: "tlh" }), 422, "validation");
});

test("give a profile or an address, one of them, and one that can be", async () => {
	const [ana, ben] = await trio();
	const groupId = await groupOf(ana);
	const asked = (body: object) => ana.post(`/api/groups/${groupId}/invites`, body);
	is(await asked({}), 422, "validation");
	is(await asked({ profileId: ben.profileId, email: address() }), 422, "validation");
	for (const email of ["x", "a b@example.org", 7, `${"x".repeat(250)}@example.org`]) is(await asked({ email }), 422, "validation");
	for (const expiresInSeconds of [0, -1, 1.5, 7_776_001])
		is(await asked({ profileId: ben.profileId, expiresInSeconds }), 422, "validation");
	is(await asked({ profileId: ben.profileId, role: "owner" }), 422, "validation");
});

test("an invite runs out by itself: it is said so, and another can be made", async () => {
	const [ana, ben] = await trio();
	const groupId = await groupOf(ana);
	const made = is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId, expiresInSeconds: 60 }), 201).body;
	turnClock(61_000);
	await eventually(async () => assert.equal((await told("groups.invite.expired", groupId)).length, 1));
	assert.deepEqual((await told("groups.invite.expired", groupId))[0]?.payload, {
		...{ inviteId: made.id, groupId, inviterId: ana.profileId, inviteeId: ben.profileId },
	});
	assert.equal((await invites(ana, groupId))[0].state, "expired");
	assert.deepEqual((await ben.get("/api/invites")).body.data, []);
	is(await ben.post(`/api/invites/${made.id}/accept`), 410, "expired");
	is(await ben.post("/api/invites/accept", { token: made.token }), 410, "expired");
	is(await ana.send("DELETE", `/api/groups/${groupId}/invites/${made.id}`), 410, "expired");
	is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 201);
});

test("an invite is taken back by who made it or by who runs the group, as far as they may give it", async () => {
	const [ana, ben, eve] = await trio();
	const [mo, guest] = (await people("Mo", "Guest")) as [Person, Person];
	const groupId = await groupOf(ana, ben, eve, mo);
	is(await ana.send("PATCH", `/api/groups/${groupId}/members/${mo.profileId}`, { role: "moderator" }), 200);
	const make = async (by: Person, role = "member") =>
		is(await by.post(`/api/groups/${groupId}/invites`, { profileId: guest.profileId, role }), 201).body;
	const revoke = (by: Person, { id }: { id: string }) => by.send("DELETE", `/api/groups/${groupId}/invites/${id}`);
	const first = await make(ben);
	is(await revoke(eve, first), 403, "forbidden");
	is(await revoke(guest, first), 403, "not-member");
	is(await revoke(ben, first), 204);
	is(await revoke(ben, first), 409, "wrong-state");
	is(await guest.post(`/api/invites/${first.id}/accept`), 409, "wrong-state");
	is(await revoke(mo, await make(ben)), 204);
	const high = await make(ana, "admin");
	is(await revoke(mo, high), 403, "rank");
	is(await revoke(ana, high), 204);
	is(await revoke(ana, { id: randomUUID() }), 404, "not-found");
	const other = await groupOf(ana);
	const elsewhere = is(await ana.post(`/api/groups/${other}/invites`, { profileId: guest.profileId }), 201).body;
	is(await revoke(ana, elsewhere), 404, "not-found");
	assert.deepEqual(
		(await told("groups.invite.revoked", groupId)).map(({ payload }) => payload.byId),
		[ben, mo, ana].map((by) => by.profileId),
	);
});

test("who may invite: in a public group everybody, as member; in a private one who runs it, up to their own role", async () => {
	const [ana, ben, eve] = await trio();
	const [mo, guest] = (await people("Mo", "Guest")) as [Person, Person];
	const open = await groupOf(ana, ben, mo);
	const invite = (by: Person, groupId: string, body: object) => by.post(`/api/groups/${groupId}/invites`, body);
	is(await invite(ben, open, { profileId: guest.profileId, role: "moderator" }), 403, "rank");
	is(await invite(ben, open, { email: address(), role: "admin" }), 403, "rank");
	is(await invite(ben, open, { profileId: guest.profileId }), 201);
	is(await invite(ben, open, { profileId: mo.profileId }), 409, "already-member");
	is(await invite(eve, open, { profileId: guest.profileId }), 403, "not-member");
	const shut = await privateGroup(ana);
	for (const [who, role] of [
		[ben, "member"],
		[mo, "moderator"],
	] as const) {
		const { id } = is(await invite(ana, shut, { profileId: who.profileId, role }), 201).body;
		is(await who.post(`/api/invites/${id}/accept`), 200);
	}
	is(await invite(ben, shut, { profileId: guest.profileId }), 403, "forbidden");
	is(await invite(mo, shut, { profileId: guest.profileId, role: "admin" }), 403, "rank");
	is(await invite(mo, shut, { profileId: guest.profileId, role: "moderator" }), 201);
	is(await invite(eve, shut, { profileId: guest.profileId }), 404, "not-found");
	// An address is shown to who invited it and to who runs the group; a link to its inviter alone.
	const email = address();
	is(await invite(mo, shut, { email }), 201);
	const seen = async (who: Person) => {
		const row = (await invites(who, shut))[0];
		return [row.email === email, "token" in row];
	};
	assert.deepEqual(
		[await seen(mo), await seen(ana), await seen(ben)],
		[
			[true, true],
			[true, false],
			[false, false],
		],
	);
});

test("an invite ends with its group, and when the invited joins by themselves", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await groupOf(ana);
	const [first, second] = [
		is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 201).body,
		is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: eve.profileId }), 201).body,
	];
	is(await ben.post(`/api/groups/${groupId}/join`), 200);
	is(await ben.post(`/api/invites/${first.id}/accept`), 409, "wrong-state");
	is(await ana.send("DELETE", `/api/groups/${groupId}`), 204);
	is(await eve.post(`/api/invites/${second.id}/accept`), 404, "not-found");
	assert.deepEqual((await eve.get("/api/invites")).body.data, []);
});

test("of two answers at once one counts, and of two invites at once one is open", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await groupOf(ana, eve);
	const made = await Promise.all([ana, eve, ana, eve].map((by) => by.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId })));
	assert.deepEqual(made.map(({ status }) => status).sort(), [201, 409, 409, 409]);
	const { id } = (made.find(({ status }) => status === 201) as (typeof made)[0]).body;
	const answers = await Promise.all(["accept", "decline", "accept", "decline"].map((word) => ben.post(`/api/invites/${id}/${word}`)));
	assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409]);
});
