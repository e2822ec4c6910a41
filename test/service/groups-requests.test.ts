// Who asks to join a private group.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../support/kit.ts";
import { connect, eventually, is, listen, person, say, testApp, told } from "../support/kit.ts";

const app = await testApp();
const people = (...names: string[]) => Promise.all(names.map((name) => person(app.url, name)));
const privateGroup = async (admin: Person): Promise<string> =>
	is(await admin.post("/api/groups", { name: "Menders", isPublic: false }), 201).body.id;
const asking = async (admin: Person, groupId: string) =>
	is(await admin.get(`/api/groups/${groupId}/requests`), 200).body.data.map(({ displayName }: { displayName: string }) => displayName);

test("who asks is listed for moderators, let in by one, and the group hears of it", async () => {
	const [ana, mo, eve, fay] = (await people("Ana", "Mo", "Eve", "Fay")) as [Person, Person, Person, Person];
	const groupId = await privateGroup(ana);
	is(
		await mo.post("/api/invites/accept", {
			token: (await ana.post(`/api/groups/${groupId}/invites`, { profileId: mo.profileId, role: "moderator" })).body.token,
		}),
		200,
	);
	for (const who of [eve, eve, fay]) assert.equal(is(await who.post(`/api/groups/${groupId}/join`), 200).body.state, "requested");
	assert.deepEqual(await asking(mo, groupId), ["Eve", "Fay"]);
	const socket = await connect(app.url, ana.accessToken);
	const heard = listen(socket, `group:${groupId}`);
	await say(socket, "group:join", { groupId });
	const accepted = is(await mo.post(`/api/groups/${groupId}/requests/${eve.profileId}/accept`), 200);
	assert.deepEqual(accepted.body, { groupId, profileId: eve.profileId, role: "member", state: "member" });
	await eventually(() => assert.equal(heard.length, 1));
	assert.partialDeepStrictEqual(heard[0], { type: "member", action: "joined", profileId: eve.profileId, by: { profileId: mo.profileId } });
	socket.close();
	assert.equal(is(await eve.get(`/api/groups/${groupId}`), 200).body.role, "member");
	assert.deepEqual(await asking(mo, groupId), ["Fay"]);
	is(await mo.post(`/api/groups/${groupId}/requests/${eve.profileId}/accept`), 404, "not-found");

	const [created, ...more] = await told("groups.request.created", groupId);
	assert.deepEqual(created?.payload, {
		...{ groupId, groupName: "Menders", profileId: eve.profileId, displayName: "Eve" },
		moderators: [ana.profileId, mo.profileId],
	});
	assert.equal(more.length, 1, "asking twice is asking once");
	const [fact] = await told("groups.request.accepted", groupId);
	assert.deepEqual(fact?.payload, { groupId, groupName: "Menders", profileId: eve.profileId, byId: mo.profileId });
	assert.deepEqual((await told("groups.member.joined", groupId)).at(-1)?.payload, { groupId, profileId: eve.profileId, role: "member" });
});

test("who is turned down may ask again; who leaves takes their wish back", async () => {
	const [ana, eve] = (await people("Ana", "Eve")) as [Person, Person];
	const groupId = await privateGroup(ana);
	await eve.post(`/api/groups/${groupId}/join`);
	const declined = is(await ana.post(`/api/groups/${groupId}/requests/${eve.profileId}/decline`), 200);
	assert.equal(declined.body.state, "declined");
	assert.equal((await told("groups.request.declined", groupId)).length, 1);
	is(await eve.get(`/api/groups/${groupId}`), 404, "not-found");
	await eve.post(`/api/groups/${groupId}/join`);
	assert.deepEqual(await asking(ana, groupId), ["Eve"]);
	is(await eve.post(`/api/groups/${groupId}/leave`), 204);
	assert.deepEqual(await asking(ana, groupId), []);
	assert.equal((await told("groups.request.withdrawn", groupId)).length, 1);
	is(await eve.post(`/api/groups/${groupId}/leave`), 404, "not-found");
});

test("who comes in by an invite asks no longer; an invite is answered by joining, and by being let in", async () => {
	const [ana, eve, fay] = (await people("Ana", "Eve", "Fay")) as [Person, Person, Person];
	const groupId = await privateGroup(ana);
	await eve.post(`/api/groups/${groupId}/join`);
	const invite = async (who: Person, role: string) =>
		is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: who.profileId, role }), 201).body;
	const first = await invite(eve, "moderator");
	assert.deepEqual(is(await eve.post(`/api/groups/${groupId}/join`), 200).body, {
		groupId,
		profileId: eve.profileId,
		role: "moderator",
		state: "member",
	});
	assert.deepEqual(await asking(ana, groupId), []);
	is(await eve.post(`/api/invites/${first.id}/accept`), 409, "wrong-state");
	await fay.post(`/api/groups/${groupId}/join`);
	const second = await invite(fay, "member");
	is(await ana.post(`/api/groups/${groupId}/requests/${fay.profileId}/accept`), 200);
	is(await fay.post(`/api/invites/${second.id}/decline`), 409, "wrong-state");
	assert.deepEqual(
		(await told("groups.invite.accepted", groupId)).map(({ payload }) => payload.inviteeId),
		[eve.profileId, fay.profileId],
	);
});

test("wishes are listed page by page, under the names people have now", async () => {
	const [ana, ...askers] = (await people("Ana", "A", "B", "C")) as [Person, Person, Person, Person];
	const groupId = await privateGroup(ana);
	for (const one of askers) await one.post(`/api/groups/${groupId}/join`);
	is(await (askers[1] as Person).send("PATCH", `/api/profiles/${(askers[1] as Person).profileId}`, { displayName: "Bea" }), 200);
	await eventually(async () => assert.deepEqual(await asking(ana, groupId), ["A", "Bea", "C"]));
	const first = (await ana.get(`/api/groups/${groupId}/requests?limit=2`)).body;
	const second = (await ana.get(`/api/groups/${groupId}/requests?limit=2&cursor=${first.nextCursor}`)).body;
	assert.deepEqual(
		[...first.data, ...second.data].map(({ displayName }) => displayName),
		["A", "Bea", "C"],
	);
	assert.equal(second.nextCursor, null);
	is(await ana.get(`/api/groups/${groupId}/requests?cursor=eA`), 400, "bad-cursor");
});

test("of the wishes of a profile that is gone nothing is left", async () => {
	const [ana, eve] = (await people("Ana", "Eve")) as [Person, Person];
	const groupId = await privateGroup(ana);
	const shop = is(await eve.post("/api/profiles", { displayName: "Shop", kind: "consumer" }), 201).body.id;
	const { tokens } = is(await eve.post("/api/auth/switch-profile", { profileId: shop }), 200).body;
	const home = eve.accessToken;
	eve.accessToken = tokens.accessToken;
	is(await eve.post(`/api/groups/${groupId}/join`), 200);
	is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: shop }), 201);
	eve.accessToken = is(await eve.post("/api/auth/switch-profile", { profileId: eve.profileId }), 200).body.tokens.accessToken;
	assert.notEqual(eve.accessToken, home);
	is(await eve.send("DELETE", `/api/profiles/${shop}`), 204);
	await eventually(async () => {
		assert.deepEqual(await asking(ana, groupId), []);
		assert.equal((await told("groups.request.withdrawn", groupId)).length, 1);
		assert.deepEqual(
			(await told("groups.invite.revoked", groupId)).map(({ payload }) => payload.byId),
			[null],
		);
	});
});

test("of an erased account no invite stays open, and no wish to join", async () => {
	const [ana, ben, eve] = (await people("Ana", "Ben", "Eve")) as [Person, Person, Person];
	const groupId = is(await ana.post("/api/groups", { name: "Menders", isPublic: true }), 201).body.id;
	const closed = await privateGroup(ana);
	is(await eve.post(`/api/groups/${groupId}/join`), 200);
	const { id } = is(await eve.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 201).body;
	is(await eve.post(`/api/groups/${closed}/join`), 200);
	is(await eve.send("DELETE", "/api/auth/me", { password: eve.password }), 202);
	await eventually(async () => {
		assert.deepEqual(is(await ben.get("/api/invites"), 200).body.data, []);
		assert.deepEqual(await asking(ana, closed), []);
		assert.equal((await told("groups.invite.revoked", groupId)).length, 1);
		assert.equal((await told("groups.request.withdrawn", closed)).length, 1);
	});
	is(await ben.post(`/api/invites/${id}/accept`), 409, "wrong-state");
});
