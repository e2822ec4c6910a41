// Who is put out of a group, and who may not come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Person } from "../support/kit.ts";
import { connect, eventually, groupOf, is, listen, person, say, testApp, told, turnClock } from "../support/kit.ts";

const app = await testApp();
const people = (...names: string[]) => Promise.all(names.map((name) => person(app.url, name)));
const trio = () => people("Ana", "Ben", "Eve") as Promise<[Person, Person, Person]>;
const events = async (who: Person, groupId: string) => is(await who.get(`/api/groups/${groupId}/events?limit=500`), 200).body.data;

test("a ban puts out, shuts the door, and can be lifted", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await groupOf(ana, ben, eve);
	const socket = await connect(app.url, ben.accessToken);
	const heard = listen(socket, `group:${groupId}`);
	await say(socket, "group:join", { groupId });
	is(await ana.post(`/api/groups/${groupId}/members/${ben.profileId}/ban`), 204);
	is(await ana.post(`/api/groups/${groupId}/members/${ben.profileId}/ban`), 204);
	is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: "after", content: "He is gone." }), 201);
	await eventually(() => assert.equal(heard.length, 1));
	assert.partialDeepStrictEqual(heard, [{ type: "member", action: "banned", profileId: ben.profileId, role: "member" }]);
	await assert.rejects(
		say(socket, "group:join", { groupId }),
		(error: { problem: { code: string } }) => error.problem.code === "not-member",
	);
	socket.close();
	is(await ben.post(`/api/groups/${groupId}/join`), 404, "not-found");
	is(await eve.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 403, "banned");
	is(await ana.get(`/api/groups/${groupId}/members`), 200);
	assert.equal((await ana.get(`/api/groups/${groupId}`)).body.memberCount, 2);
	const [banned, ...others] = is(await ana.get(`/api/groups/${groupId}/bans`), 200).body.data;
	assert.partialDeepStrictEqual(banned, { profileId: ben.profileId, displayName: "Ben", byId: ana.profileId });
	assert.deepEqual(others, []);

	is(await ana.post(`/api/groups/${groupId}/members/${ben.profileId}/unban`), 204);
	is(await ana.post(`/api/groups/${groupId}/members/${ben.profileId}/unban`), 204);
	assert.deepEqual((await ana.get(`/api/groups/${groupId}/bans`)).body.data, []);
	assert.equal(is(await ben.post(`/api/groups/${groupId}/join`), 200).body.state, "member");
	const byAna = { groupId, profileId: ben.profileId, byId: ana.profileId };
	for (const name of ["groups.member.kicked", "groups.member.banned", "groups.member.unbanned"] as const)
		assert.deepEqual(
			(await told(name, groupId)).map(({ payload }) => payload),
			[byAna],
		);
	const log = await events(ana, groupId);
	assert.deepEqual(
		log.map(({ seq }: { seq: number }) => seq),
		log.map((_: unknown, index: number) => index + 1),
		"gapless",
	);
});

test("a stranger, who asks, and who is invited can be banned; what they asked and were asked ends", async () => {
	const [ana, ben, eve] = await trio();
	const groupId: string = is(await ana.post("/api/groups", { name: "Menders", isPublic: false }), 201).body.id;
	await ben.post(`/api/groups/${groupId}/join`);
	const invite = is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: eve.profileId }), 201).body;
	for (const who of [ben, eve]) {
		is(await ana.post(`/api/groups/${groupId}/members/${who.profileId}/ban`), 204);
		is(await who.post(`/api/groups/${groupId}/join`), 404, "not-found");
	}
	assert.deepEqual((await ana.get(`/api/groups/${groupId}/requests`)).body.data, []);
	is(await eve.post(`/api/invites/${invite.id}/accept`), 409, "wrong-state");
	is(await ana.post(`/api/groups/${groupId}/members/00000000-0000-4000-8000-000000000000/ban`), 404, "not-found");
	const log = await events(ana, groupId);
	assert.deepEqual(
		log.map(({ action, role }: { action: string; role?: string }) => [action, role]),
		[
			["created", undefined],
			["banned", undefined],
			["banned", undefined],
		],
	);
	assert.equal((await ana.get(`/api/groups/${groupId}`)).body.memberCount, 1);
	assert.equal((await told("groups.member.kicked", groupId)).length, 0);
	assert.equal((await told("groups.request.declined", groupId)).length, 1);
	assert.equal((await told("groups.invite.revoked", groupId)).length, 1);
});

test("nobody acts on an equal or a higher role, nor on themselves; who was kicked may be invited again", async () => {
	const [ana, ben, eve] = await trio();
	const groupId = await groupOf(ana, ben, eve);
	const role = (who: Person, to: string) => ana.send("PATCH", `/api/groups/${groupId}/members/${who.profileId}`, { role: to });
	is(await role(ben, "moderator"), 200);
	is(await role(eve, "moderator"), 200);
	for (const other of [ana, eve, ben]) {
		is(await ben.post(`/api/groups/${groupId}/members/${other.profileId}/ban`), 403, "rank");
		is(await ben.send("DELETE", `/api/groups/${groupId}/members/${other.profileId}`), 403, "rank");
	}
	is(await role(eve, "member"), 200);
	const guest = await person(app.url, "Guest");
	const made = is(await eve.post(`/api/groups/${groupId}/invites`, { profileId: guest.profileId }), 201).body;
	is(await ben.send("DELETE", `/api/groups/${groupId}/members/${eve.profileId}`), 204);
	is(await guest.post(`/api/invites/${made.id}/accept`), 409, "wrong-state");
	const again = is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: eve.profileId }), 201).body;
	is(await eve.post(`/api/invites/${again.id}/accept`), 200);
});

test("a mute is shown to who set it, ends by itself, and is told", async () => {
	const [ana, ben] = await trio();
	const groupId = await groupOf(ana, ben);
	const shown = async (who: Person) => {
		const { data } = (await who.get("/api/groups")).body;
		return [(await who.get(`/api/groups/${groupId}`)).body.mutedUntil, data.find(({ id }: { id: string }) => id === groupId).mutedUntil];
	};
	const until = new Date(Date.now() + 60_000).toISOString();
	assert.deepEqual(is(await ben.send("PUT", `/api/groups/${groupId}/mute`, { until }), 200).body, { groupId, mutedUntil: until });
	assert.deepEqual(
		[await shown(ben), await shown(ana)],
		[
			[until, until],
			[null, null],
		],
	);
	is(await ben.send("PUT", `/api/groups/${groupId}/mute`, { until: "2020-01-01T00:00:00.000Z" }), 422, "validation");
	const end = "9999-12-31T23:59:59.999Z";
	assert.equal(is(await ben.send("PUT", `/api/groups/${groupId}/mute`, {}), 200).body.mutedUntil, end);
	is(await ben.send("DELETE", `/api/groups/${groupId}/mute`), 204);
	assert.deepEqual(await shown(ben), [null, null]);
	const brief = new Date(Date.now() + 60_000).toISOString();
	is(await ben.send("PUT", `/api/groups/${groupId}/mute`, { until: brief }), 200);
	assert.deepEqual(
		(await told("groups.member.muted", groupId)).map(({ payload }) => payload.until),
		[until, null, brief],
	);
	turnClock(60_001);
	assert.deepEqual(await shown(ben), [null, null], "its time is over");
	assert.equal((await told("groups.member.unmuted", groupId)).length, 1);
	const eve = await person(app.url, "Eve");
	is(await eve.send("PUT", `/api/groups/${groupId}/mute`, {}), 403, "not-member");
});

test("a name may be of any script, but shows itself, and turns nothing round", async () => {
	const [ana] = await trio();
	const named = (name: string) => ana.post("/api/groups", { name, isPublic: true });
	for (const name of ["Reparação", "مجموعة الإصلاح", "Koma tamîrê", "修理の会", "👩‍👩‍👧 & Co", "क्षत्रिय", "a‌b", "ŐŰ"])
		assert.equal(is(await named(name), 201).body.name, name.normalize("NFC"));
	assert.equal(is(await named("Cafe\u0301"), 201).body.name, "Caf\u00e9");
	const bad = [
		"\u202eevil",
		"a\u2066b",
		"\u200b\u200d",
		"\u3164",
		"\u0301\u0301",
		"\u00ad \u2060",
		"a\u0007b",
		"line\nbreak",
		"x".repeat(101),
		`a${"\u0301".repeat(4000)}`,
	];
	for (const name of bad) is(await named(name), 422, "validation");
	const { id } = (await named("Menders")).body;
	is(await ana.send("PATCH", `/api/groups/${id}`, { name: "\u202e" }), 422, "validation");
});

test("two profiles of one account are two people in a group", async () => {
	const [ana, ben] = await trio();
	const groupId = await groupOf(ana, ben);
	const shop = is(await ben.post("/api/profiles", { displayName: "Ben's shop", kind: "organization" }), 201).body.id;
	const { accessToken } = is(await ben.post("/api/auth/switch-profile", { profileId: shop }), 200).body.tokens;
	const asShop: Person = { ...ben, profileId: shop, accessToken };
	const shopJoined = await fetch(new URL(`/api/groups/${groupId}/join`, app.url), {
		method: "POST",
		headers: { Authorization: `Bearer ${asShop.accessToken}` },
	});
	assert.equal(shopJoined.status, 200);
	is(await ana.post(`/api/groups/${groupId}/members/${ben.profileId}/ban`), 204);
	const names = (await ana.get(`/api/groups/${groupId}/members`)).body.data.map(({ displayName }: { displayName: string }) => displayName);
	assert.deepEqual(names, ["Ana", "Ben's shop"]);
});
