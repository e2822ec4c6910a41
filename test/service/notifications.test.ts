// The inbox: what tells of what to whom, once; read on one device is read on all.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { exported } from "../support/archive.ts";
import type { Person } from "../support/kit.ts";
import { connect, eventually, groupOf, hear, is, listen, person, say, testApp, told } from "../support/kit.ts";
import { inbox, invite, posted, talkOf, titles, waiting, welcomed } from "../support/notifications.ts";

const app = await testApp();

const people = async (...names: string[]): Promise<Person[]> => {
	const all = await Promise.all(names.map((name) => person(app.url, name)));
	await welcomed(...all);
	return all;
};
const count = async (who: Person): Promise<number> => is(await who.get("/api/notifications/unread-count"), 200).body.count;
const post = async (who: Person, groupId: string, more: object = {}) =>
	is(await who.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content: "Has anybody a needle?", ...more }), 201).body;

test("who registers is welcomed, in the shape of the wire", async () => {
	const [ana] = await people("Ana");
	const { data, nextCursor } = is(await (ana as Person).get("/api/notifications"), 200).body;
	assert.equal(nextCursor, null);
	const [{ id, createdAt, ...welcome }] = data;
	assert.deepEqual(welcome, {
		seq: 1,
		kind: "welcome",
		title: "Welcome to Reloop, Ana",
		body: "Here you will find what concerns you.",
		data: {},
		count: 1,
		readAt: null,
	});
	assert.match(id, /^[0-9a-f-]{36}$/);
	assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000);
	assert.equal(await count(ana as Person), 1);
});

test("a mention notifies the mentioned and nobody else, once, with an event in their room", async () => {
	const [ana, ben, cleo] = (await people("Ana", "Ben", "Cleo")) as [Person, Person, Person];
	const groupId = await groupOf(ana, ben, cleo);
	const socket = await connect(app.url, ben.accessToken);
	const heard = listen(socket, `profile:${ben.profileId}`);
	const { seq, id: messageId } = await post(ana, groupId, { mentions: [ben.profileId, ana.profileId] });
	await titles(ben, 1);
	const [got] = await inbox(ben);
	assert.partialDeepStrictEqual(got, {
		kind: "mention",
		body: "Has anybody a needle?",
		data: { groupId, seq, messageId, senderId: ana.profileId },
	});
	assert.match(got.title, /^Ana mentioned you in /);
	await eventually(() =>
		assert.partialDeepStrictEqual(heard.at(-1), { type: "notification", action: "created", id: got.id, kind: "mention", seq: got.seq }),
	);
	assert.deepEqual([await inbox(ana), await inbox(cleo)], [[], []]);
	// The same fact, heard by another way with another id, is the same cause.
	const [fact] = await told("groups.message.posted", groupId);
	if (!fact) throw new Error("It was not told.");
	await hear(app.broker, { type: fact.type, aggregate: fact.aggregate, payload: fact.payload });
	assert.deepEqual(
		(await inbox(ben)).map(({ id }: { id: string }) => id),
		[got.id],
	);
	socket.close();
});

test("a mention in a group of 100,000 notifies only the mentioned", async () => {
	const [ana, ben, cleo] = (await people("Ana", "Ben", "Cleo")) as [Person, Person, Person];
	const groupId = await groupOf(ana, ben, cleo);
	await database("groups").query(
		`with made as (
			insert into members (group_id, profile_id, display_name, role, joined_at, joined_seq, read_seq)
			select $1::uuid, gen_random_uuid(), 'Member ' || n, 'member', now(), 1, 1 from generate_series(1, 100000) as n returning profile_id
		) insert into group_people (profile_id, group_id) select profile_id, $1::uuid from made`,
		[groupId],
	);
	await post(ana, groupId, { mentions: [ben.profileId] });
	assert.deepEqual(await titles(ben, 1), ["Ana mentioned you in Menders"]);
	await post(ana, groupId, { mentions: [cleo.profileId] });
	await titles(cleo, 1);
	const notified = await database("presence").query<{ profileId: string }>(
		`select profile_id as "profileId" from notifications where group_id = $1`,
		[groupId],
	);
	assert.deepEqual(notified.map(({ profileId }) => profileId).sort(), [ben.profileId, cleo.profileId].sort());
});

test("a reply tells whom it replies to; who is mentioned in it hears of it once; oneself never", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	await hear(
		app.broker,
		posted(groupId, 2, ana, { replyTo: 1, repliedToId: ben.profileId }),
		posted(groupId, 3, ana, { replyTo: 1, repliedToId: ben.profileId, mentions: [ben.profileId] }),
		posted(groupId, 4, ana, { replyTo: 2, repliedToId: ana.profileId, mentions: [ana.profileId] }),
	);
	assert.deepEqual(await titles(ben, 2), ["Ana mentioned you in Menders", "Ana replied to you in Menders"]);
	assert.deepEqual(await inbox(ana), []);
});

test("messages of a talk of two that nobody has read are one notification with a count", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = await talkOf(app, ana, ben);
	await hear(app.broker, posted(groupId, 2, ana, { content: "Hello" }));
	const [first] = await inbox(ben);
	assert.partialDeepStrictEqual(first, { kind: "message", title: "Ana", body: "Hello", count: 1 });
	await hear(app.broker, posted(groupId, 3, ana), posted(groupId, 4, ana, { content: "Are you there?\n  Ben?" }));
	const [more, ...rest] = await inbox(ben);
	assert.partialDeepStrictEqual(more, {
		id: first.id,
		title: "Ana: 3 new messages",
		body: "Are you there? Ben?",
		count: 3,
		data: { seq: 4 },
	});
	assert.ok(more.seq > first.seq);
	assert.deepEqual([rest, await inbox(ana)], [[], []]);
	is(await ben.send("PATCH", `/api/notifications/${more.id}/read`), 200);
	await hear(app.broker, posted(groupId, 5, ana));
	assert.deepEqual(
		(await inbox(ben)).map(({ title, readAt }: { title: string; readAt: string | null }) => [title, readAt !== null]),
		[
			["Ana", false],
			["Ana: 3 new messages", true],
		],
	);
	await hear(app.broker, {
		type: "groups.message.deleted",
		aggregate: groupId,
		payload: { groupId, seq: 6, target: 5, senderId: ana.profileId, byId: ana.profileId },
	});
	assert.equal((await inbox(ben)).length, 1);
});

test("what one reads on a device is read on the others, at once or by `resume`; and what waits is called off", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = await groupOf(ana, ben);
	const room = `profile:${ben.profileId}`;
	const [phone, laptop] = [await connect(app.url, ben.accessToken), await connect(app.url, ben.accessToken)];
	const heard = [listen(phone, room), listen(laptop, room)];
	await post(ana, groupId, { mentions: [ben.profileId] });
	await titles(ben, 1);
	const [got] = await inbox(ben);
	assert.ok((await waiting("climb")).some(({ key }) => key === `climb:${got.id}`));
	const read = is(await ben.send("PATCH", `/api/notifications/${got.id}/read`), 200).body;
	assert.deepEqual({ ...read, readAt: null }, got);
	assert.ok(read.readAt);
	for (const device of heard)
		await eventually(() =>
			assert.partialDeepStrictEqual(device.at(-1), { type: "notification", action: "read", id: got.id, ids: [got.id] }),
		);
	assert.ok(!(await waiting("climb")).some(({ key }) => key === `climb:${got.id}`));
	// Twice is once, and no news.
	assert.deepEqual(is(await ben.send("PATCH", `/api/notifications/${got.id}/read`), 200).body, read);
	const { head, events } = (await say(await connect(app.url, ben.accessToken), "resume", { rooms: { [room]: 0 } })).rooms[room];
	assert.deepEqual(
		events.map(({ seq }: { seq: number }) => seq),
		Array.from({ length: head }, (_, index) => index + 1),
	);
	assert.partialDeepStrictEqual(events.at(-1), { type: "notification", action: "read", id: got.id });
	assert.deepEqual(await inbox(ben, "&unread=true"), []);
	phone.close();
	laptop.close();
});

test("all is read at once, one is taken out; what is a stranger's is not there", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	await hear(app.broker, ...[1, 2, 3].map((seq) => posted(groupId, seq, ana, { mentions: [ben.profileId] })));
	const [got] = await inbox(ben);
	for (const who of [ana, ben]) assert.equal((await who.send("PATCH", `/api/notifications/${randomUUID()}/read`)).status, 404);
	is(await ana.send("PATCH", `/api/notifications/${got.id}/read`), 404, "not-found");
	is(await ana.send("DELETE", `/api/notifications/${got.id}`), 404, "not-found");
	assert.equal(await count(ben), 4);
	assert.deepEqual(is(await ben.post("/api/notifications/read-all"), 200).body, { read: 4, count: 0 });
	assert.deepEqual(is(await ben.post("/api/notifications/read-all"), 200).body, { read: 0, count: 0 });
	is(await ben.send("DELETE", `/api/notifications/${got.id}`), 204);
	is(await ben.send("DELETE", `/api/notifications/${got.id}`), 404, "not-found");
	assert.equal((await inbox(ben)).length, 2);
});

test("the inbox comes page by page, and a cursor that is none is refused", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	await hear(app.broker, ...[1, 2, 3, 4].map((seq) => posted(groupId, seq, ana, { mentions: [ben.profileId] })));
	const seqs: number[] = [];
	for (let cursor: string | null = ""; cursor !== null; ) {
		const { body } = is(await ben.get(`/api/notifications?limit=2${cursor && `&cursor=${cursor}`}`), 200);
		seqs.push(...body.data.map(({ seq }: { seq: number }) => seq));
		cursor = body.nextCursor;
	}
	assert.deepEqual(seqs, [5, 4, 3, 2, 1]);
	is(await ben.get("/api/notifications?cursor=bad"), 400, "bad-cursor");
	is(await ben.get("/api/notifications?unread=maybe"), 422, "validation");
	is(await ben.get("/api/notifications?limit=0"), 422, "validation");
});

test("who is looking at the room is not notified of it on any device, until they look elsewhere or are away", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = await groupOf(ana, ben);
	const talk = await talkOf(app, ana, ben);
	const [phone, laptop] = [await connect(app.url, ben.accessToken), await connect(app.url, ben.accessToken)];
	assert.deepEqual(await say(phone, "focus", { room: `group:${groupId}` }), {});
	await say(laptop, "focus", { room: `group:${talk}` });
	await post(ana, groupId, { mentions: [ben.profileId] });
	await hear(app.broker, posted(talk, 2, ana));
	await titles(ben, 1);
	assert.equal(await count(ben), 1, "the welcome alone: a mention that was looked at is read, a message left out");
	assert.ok((await inbox(ben))[0].readAt);
	const [{ id }] = await inbox(ben);
	assert.ok(!(await waiting("climb")).some(({ key }) => key === `climb:${id}`));
	await say(laptop, "focus", { room: null });
	await hear(app.broker, posted(talk, 3, ana));
	assert.equal(await count(ben), 2);
	await say(phone, "presence:set", { status: "away" });
	await post(ana, groupId, { mentions: [ben.profileId] });
	await eventually(async () => assert.equal(await count(ben), 3));
	await say(phone, "presence:set", { status: "online" });
	phone.close();
	await assert.rejects(say(laptop, "focus", { room: 7 }), /validation/);
	laptop.close();
	// A socket that has gone looks at nothing.
	await eventually(async () => {
		await post(ana, groupId, { mentions: [ben.profileId] });
		assert.ok((await count(ben)) >= 4);
	});
});

test("who has read that far in the group itself has seen it: the inbox knows it", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = await groupOf(ana, ben);
	const { seq } = await post(ana, groupId, { mentions: [ben.profileId] });
	await titles(ben, 1);
	assert.equal(await count(ben), 2);
	is(await ben.send("PUT", `/api/groups/${groupId}/read`, { seq: seq - 1 }), 200);
	assert.equal(await count(ben), 2);
	is(await ben.send("PUT", `/api/groups/${groupId}/read`, { seq }), 200);
	assert.equal(await count(ben), 1);
	assert.ok((await inbox(ben))[0].readAt);
});

test("an invite tells the invitee, and is over when it is answered, or taken back", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = await groupOf(ana);
	const { body: made } = is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: ben.profileId }), 201);
	assert.deepEqual(await titles(ben, 1), ["Ana invites you to Menders"]);
	const [got] = await inbox(ben);
	assert.partialDeepStrictEqual(got, { kind: "invite", data: { inviteId: made.id, groupId, inviterId: ana.profileId, role: "member" } });
	is(await ben.post(`/api/invites/${made.id}/decline`), 200);
	await eventually(async () => assert.ok((await inbox(ben))[0].readAt));
	const other = invite(ana, ben, "Sewers");
	await hear(app.broker, other);
	assert.deepEqual(await titles(ben, 2), ["Ana invites you to Sewers", "Ana invites you to Menders"]);
	const { inviteId, groupId: otherId, inviterId, inviteeId } = other.payload;
	const payload = { inviteId, groupId: otherId, inviterId, inviteeId, byId: null };
	await hear(app.broker, { type: "groups.invite.revoked", aggregate: otherId, payload });
	assert.deepEqual(await titles(ben, 1), ["Ana invites you to Menders"]);
	const [{ text }] = (await database("presence").query<{ text: string }>(
		"select json_agg(body)::text as text from room_events where room = $1",
		[ben.profileId],
	)) as [{ text: string }];
	assert.ok(text.includes("Menders") && !text.includes("Sewers"), "what was taken back is not in the log either");
});

test("who asks to come in is told to the moderators, each time anew, until it is answered; and is told that they were let in", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	const who = { groupId, profileId: ben.profileId };
	const ask = () =>
		hear(app.broker, {
			type: "groups.request.created",
			aggregate: groupId,
			payload: { ...who, groupName: "Sewers", displayName: "Ben", moderators: [ana.profileId] },
		});
	await ask();
	assert.deepEqual(await titles(ana, 1), ["Ben asks to join Sewers"]);
	await hear(app.broker, { type: "groups.request.withdrawn", aggregate: groupId, payload: who });
	assert.deepEqual(await inbox(ana), []);
	await ask();
	await hear(app.broker, {
		type: "groups.request.accepted",
		aggregate: groupId,
		payload: { ...who, groupName: "Sewers", byId: ana.profileId },
	});
	assert.ok((await inbox(ana))[0].readAt);
	assert.deepEqual(await titles(ben, 1), ["You are a member of Sewers now"]);
});

test("a reported message is told to the moderators of its group, until one of them has settled it", async () => {
	const [ana, ben, cem] = (await people("Ana", "Ben", "Cem")) as [Person, Person, Person];
	const groupId = await groupOf(ana, ben, cem);
	const { seq } = await post(ben, groupId);
	const { id: flagId } = is(await cem.post(`/api/groups/${groupId}/messages/${seq}/flag`, { reason: "Rude" }), 201).body;
	await titles(ana, 1);
	const [got] = await inbox(ana);
	assert.partialDeepStrictEqual(got, { kind: "report", data: { groupId, seq, flagId }, readAt: null });
	assert.deepEqual([await inbox(ben), await inbox(cem)], [[], []], "nobody else hears of it");
	is(await ana.post(`/api/groups/${groupId}/flags/${flagId}/dismiss`), 200);
	await eventually(async () => assert.ok((await inbox(ana))[0].readAt));
});

test("two people talk: what the other wrote is one notification, until it is read in the talk; a mute is a preference", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const { id: groupId } = is(await ana.get(`/api/direct/${ben.profileId}`), 200).body;
	await post(ana, groupId, { content: "Hello" });
	const { seq } = await post(ana, groupId, { content: "Are you there?", mentions: [ben.profileId] });
	await eventually(async () =>
		assert.deepEqual(
			(await inbox(ben)).map(({ kind, title }: { kind: string; title: string }) => [kind, title]),
			[["message", "Ana: 2 new messages"]],
		),
	);
	is(await ben.send("PUT", `/api/groups/${groupId}/read`, { seq }), 200);
	assert.equal(await count(ben), 1);
	await post(ben, groupId, { content: "I am", replyTo: seq });
	assert.deepEqual(await titles(ana, 1), ["Ben"]);
	is(await ana.send("PUT", `/api/groups/${groupId}/mute`, {}), 200);
	await eventually(async () => assert.deepEqual((await ana.get("/api/notifications/preferences")).body.mutedGroups, [groupId]));
	is(await ana.send("DELETE", `/api/groups/${groupId}/mute`), 204);
	await eventually(async () => assert.deepEqual((await ana.get("/api/notifications/preferences")).body.mutedGroups, []));
});

test("a level is told, points and coins are, XP is not", async () => {
	const [ana] = (await people("Ana")) as [Person];
	const { profileId } = ana;
	const paid = (currency: "xp" | "points" | "coins", total: number) => ({
		type: "gamification.points.awarded" as const,
		aggregate: profileId,
		payload: { profileId, currency, amount: 5, reason: "mended", source: `item ${total}`, total },
	});
	await hear(app.broker, paid("xp", 5), paid("points", 6), paid("coins", 7), {
		type: "gamification.level.reached",
		aggregate: profileId,
		payload: { profileId, level: 1, previous: 0 },
	});
	assert.deepEqual(await titles(ana, 3), ["You reached level 1", "You earned 5 coins", "You earned 5 points"]);
});

test("blocked people pass nothing, either way, until the block is lifted", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	const payload = { profileId: ben.profileId, blockedId: ana.profileId };
	await hear(app.broker, { type: "groups.block.added", aggregate: ben.profileId, payload });
	await hear(app.broker, posted(groupId, 1, ana, { mentions: [ben.profileId] }), posted(groupId, 2, ben, { mentions: [ana.profileId] }));
	assert.deepEqual([await inbox(ana), await inbox(ben)], [[], []]);
	await hear(app.broker, { type: "groups.block.removed", aggregate: ben.profileId, payload });
	await hear(app.broker, posted(groupId, 3, ana, { mentions: [ben.profileId] }));
	await titles(ben, 1);
});

test("a mute lets mentions through and nothing else that is said, until it ends", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	const reply = (seq: number) => posted(groupId, seq, ana, { replyTo: 1, repliedToId: ben.profileId });
	const muted = (until: string | null) =>
		hear(app.broker, { type: "groups.member.muted", aggregate: groupId, payload: { groupId, profileId: ben.profileId, until } });
	const until = "2999-01-01T00:00:00.000Z";
	await muted(until);
	assert.partialDeepStrictEqual((await ben.get("/api/notifications/preferences")).body, {
		mutedGroups: [groupId],
		mutedUntil: { [groupId]: until },
	});
	await hear(app.broker, reply(2), posted(groupId, 3, ana, { mentions: [ben.profileId] }));
	assert.deepEqual(await titles(ben, 1), ["Ana mentioned you in Menders"]);
	await muted("2020-01-01T00:00:00.000Z");
	await hear(app.broker, reply(4));
	await titles(ben, 2);
	assert.deepEqual((await ben.send("PUT", "/api/notifications/preferences", { mutedGroups: [groupId] })).body.mutedGroups, [groupId]);
	await hear(app.broker, reply(5));
	await titles(ben, 2);
	await hear(app.broker, { type: "groups.member.unmuted", aggregate: groupId, payload: { groupId, profileId: ben.profileId } }, reply(6));
	await titles(ben, 3);
});

test("notifications are in the language of the account, also when it changes; a name that turns directions turns nothing", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	const mention = (seq: number, name?: string) =>
		posted(groupId, seq, ana, { mentions: [ben.profileId], ...(name ? { displayName: name } : {}) });
	for (const [language, title] of [
		["pt", "Ana mencionou-o em Menders"],
		["ar", "Ana أشار إليك في Menders"],
		["ku", "Ana لە Menders ئاماژەی پێکردیت"],
	] as const) {
		is(await ben.send("PATCH", "/api/auth/me", { language }), 200);
		await eventually(async () => {
			await hear(app.broker, mention(Math.floor(Math.random() * 1e9)));
			assert.equal((await inbox(ben))[0].title, title);
		});
	}
	is(await ben.send("PATCH", "/api/auth/me", { language: null }), 200);
	await eventually(async () => {
		await hear(app.broker, mention(Math.floor(Math.random() * 1e9), "A\u202Ena\n\u2066!"));
		assert.equal((await inbox(ben))[0].title, "A na ! mentioned you in Menders");
	});
});

test("preferences: all kinds by default, what is left out stays, what is unknown is refused", async () => {
	const [ana] = (await people("Ana")) as [Person];
	const path = "/api/notifications/preferences";
	const before = is(await ana.get(path), 200).body;
	assert.deepEqual(
		Object.keys(before.kinds).sort(),
		"achievement coupon invite level loan lowStock mention message order points reply report system verification welcome".split(" "),
	);
	assert.deepEqual(
		{ ...before, kinds: before.kinds.mention },
		{
			kinds: { inApp: true, email: true, push: true },
			quietHours: null,
			timeZone: "UTC",
			digest: "daily",
			mutedGroups: [],
			mutedUntil: {},
		},
	);
	assert.deepEqual(is(await ana.send("PUT", path, before), 200).body, before);
	is(await ana.send("PATCH", "/api/auth/me", { timeZone: "Asia/Baghdad" }), 200);
	await eventually(async () => assert.equal((await ana.get(path)).body.timeZone, "Asia/Baghdad"));
	const chosen = {
		kinds: { mention: { email: false } },
		quietHours: { from: "22:00", to: "07:00" },
		timeZone: "Europe/Lisbon",
		digest: "hourly",
	};
	const after = is(await ana.send("PUT", path, chosen), 200).body;
	assert.partialDeepStrictEqual(after, {
		...chosen,
		kinds: { mention: { inApp: true, email: false, push: true }, reply: before.kinds.reply },
	});
	assert.deepEqual(is(await ana.send("PUT", path, { timeZone: null, quietHours: null }), 200).body, {
		...after,
		timeZone: "Asia/Baghdad",
		quietHours: null,
	});
	for (const wrong of [
		{ timeZone: "Middle/Earth" },
		{ timeZone: "+02:00" },
		{ timeZone: "" },
		{ quietHours: { from: "24:00", to: "07:00" } },
		{ quietHours: { from: "7:00", to: "08:00" } },
		{ quietHours: { from: "07:00", to: "07:00" } },
		{ quietHours: { from: "07:00" } },
		{ digest: "weekly" },
		{ kinds: { gossip: { email: true } } },
		{ kinds: { mention: { sms: true } } },
		{ kinds: { mention: { email: "no" } } },
		{ mutedGroups: ["all"] },
		{ colour: "red" },
	])
		is(await ana.send("PUT", path, wrong), 422, "validation");
});

test("a kind that one does not want in the inbox is not there, and makes no event", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	is(await ben.send("PUT", "/api/notifications/preferences", { kinds: { mention: { inApp: false } } }), 200);
	const groupId = randomUUID();
	await hear(app.broker, posted(groupId, 1, ana, { mentions: [ben.profileId] }));
	assert.deepEqual([await inbox(ben), await count(ben)], [[], 1]);
	assert.equal((await waiting("climb")).length > 0, true, "its mail comes all the same");
	is(await ben.send("PUT", "/api/notifications/preferences", { kinds: { mention: { email: false, push: false } } }), 200);
	const before = (await waiting("climb")).length;
	await hear(app.broker, posted(groupId, 2, ana, { mentions: [ben.profileId] }));
	assert.equal((await waiting("climb")).length, before);
});

test("what is kept of somebody is in their export; who is erased is nobody in the inboxes of others", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = randomUUID();
	is(await ana.send("PUT", "/api/notifications/preferences", { quietHours: { from: "22:00", to: "07:00" }, mutedGroups: [groupId] }), 200);
	await hear(app.broker, posted(groupId, 1, ana, { mentions: [ben.profileId] }), posted(groupId, 2, ben, { mentions: [ana.profileId] }));
	const asked = { groupId, profileId: ana.profileId, groupName: "Sewers", displayName: "Ana", moderators: [ben.profileId] };
	await hear(app.broker, { type: "groups.request.created", aggregate: groupId, payload: asked });
	await titles(ben, 2);
	assert.partialDeepStrictEqual((await exported(app.url, ana))["presence.json"], {
		notifications: [{ kind: "welcome" }, { kind: "mention", title: "Ben mentioned you in Menders" }],
		preferences: [{ quietFrom: "22:00", quietTo: "07:00" }],
		mutedGroups: [{ groupId, until: null }],
		addressedAs: [{ displayName: "Ana" }],
	});
	is(await ana.send("DELETE", "/api/auth/me", { password: ana.password }), 202);
	await eventually(async () =>
		assert.deepEqual(
			(await inbox(ben)).map(({ title }: { title: string }) => title),
			["deleted mentioned you in Menders"],
			"who is erased asks to join nothing any more",
		),
	);
	await eventually(async () => {
		for (const table of ["notifications", "causes", "people", "preferences", "muted_groups", "room_events", "account_settings"]) {
			const ids = [`%${ana.profileId}%`, `%${ana.accountId}%`];
			const found = await database("presence").query(`select 1 from ${table} t where t::text like any($1)`, [ids]);
			assert.deepEqual(found, [], table);
		}
	});
	// What comes late of the erased is not kept.
	await hear(app.broker, posted(groupId, 3, ana, { mentions: [ben.profileId] }), posted(groupId, 4, ben, { mentions: [ana.profileId] }));
	assert.equal((await inbox(ben)).length, 1);
});
