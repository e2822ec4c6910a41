// What is said in a group: replies, mentions, pictures, edits, deletions, reactions, in any script, on HTTP and on sockets alike.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { connect, eventually, groupOf, is, listen, person, say, testApp, told } from "../../support/kit.ts";
import type { Person, Reply } from "../../support/kit.ts";
import { fetchPicture, uploadOf } from "../../support/pictures.ts";

const app = await testApp();
const [ana, ben, cem, eve] = await Promise.all([
	person(app.url, "Ana"),
	person(app.url, "Ben"),
	person(app.url, "Cem"),
	person(app.url, "Eve"),
]);

const path = (groupId: string, seq?: number) => `/api/groups/${groupId}/messages${seq === undefined ? "" : `/${seq}`}`;
const post = (by: Person, groupId: string, said: object): Promise<Reply> => by.post(path(groupId), { clientId: randomUUID(), ...said });
const write = async (by: Person, groupId: string, content: string, more: object = {}) =>
	is(await post(by, groupId, { content, ...more }), 201).body;
const shown = async (by: Person, groupId: string, seq: number) => is(await by.get(path(groupId, seq)), 200).body;
const pathsOf = ({ body }: Reply) => body.errors.map(({ path }: { path: string }) => path);
const factOf = async (groupId: string, seq: number) =>
	eventually(async () => {
		const fact = (await told("groups.message.posted", groupId)).find(({ payload }) => payload.seq === seq);
		assert.ok(fact);
		return fact.payload;
	});

describe("a reply", () => {
	test("is to a message that is there; its fact says whose", async () => {
		const groupId = await groupOf(ana, ben);
		const first = await write(ana, groupId, "who has needles?");
		const reply = await write(ben, groupId, "I have", { replyTo: first.seq });
		assert.equal((await shown(ana, groupId, reply.seq)).replyTo, first.seq);
		assert.partialDeepStrictEqual(await factOf(groupId, reply.seq), {
			replyTo: first.seq,
			repliedToId: ana.profileId,
			groupName: "Menders",
			displayName: "Ben",
		});
		// The log's beginning is an event, and no message.
		for (const replyTo of [1, reply.seq + 5, 0, -1, 1.5]) is(await post(ben, groupId, { content: "to what?", replyTo }), 422, "validation");
	});

	test("stays when what it replies to is deleted, and shows where that was; nobody replies to what is deleted", async () => {
		const groupId = await groupOf(ana, ben);
		const first = await write(ana, groupId, "who has needles?");
		const clientId = randomUUID();
		const reply = is(await post(ben, groupId, { content: "I have", replyTo: first.seq, clientId }), 201).body;
		is(await ana.send("DELETE", path(groupId, first.seq)), 204);
		assert.deepEqual((await shown(ana, groupId, reply.seq)).replyTo, first.seq);
		assert.equal((await shown(ana, groupId, first.seq)).content, null);
		const refused = is(await post(ben, groupId, { content: "too late", replyTo: first.seq }), 422, "validation");
		assert.deepEqual(pathsOf(refused), ["replyTo"]);
		// Said again it is what it was, though it could not be said now.
		const again = is(await post(ben, groupId, { content: "I have", replyTo: first.seq, clientId }), 200);
		assert.deepEqual([again.body.seq, again.body.id, again.headers.get("idempotent-replayed")], [reply.seq, reply.id, "true"]);
	});
});

describe("a mention", () => {
	test("is of members, everybody once, and of fifty at the most", async () => {
		const groupId = await groupOf(ana, ben, cem);
		const { seq } = await write(ana, groupId, "@Ben @Cem", { mentions: [ben.profileId, cem.profileId, ben.profileId.toUpperCase()] });
		assert.deepEqual((await shown(ana, groupId, seq)).mentions, [ben.profileId, cem.profileId]);
		assert.deepEqual((await factOf(groupId, seq)).mentions, [ben.profileId, cem.profileId]);
		const refused = is(await post(ana, groupId, { content: "@Eve", mentions: [ben.profileId, eve.profileId] }), 422, "validation");
		assert.deepEqual(pathsOf(refused), ["mentions[1]"]);
		is(await post(ana, groupId, { content: "all", mentions: Array.from({ length: 51 }, () => ben.profileId) }), 422, "validation");
		is(await post(ana, groupId, { content: "who?", mentions: ["ben"] }), 422, "validation");
	});

	test("by somebody with whom one has nothing to do passes nothing, whoever has blocked whom", async () => {
		const groupId = await groupOf(ana, ben, cem);
		is(await ben.send("PUT", `/api/blocks/${ana.profileId}`), 200);
		const mentions = [ben.profileId, cem.profileId];
		const { seq } = await write(ana, groupId, "@Ben @Cem", { mentions });
		assert.deepEqual((await factOf(groupId, seq)).mentions, [cem.profileId]);
		assert.deepEqual((await factOf(groupId, (await write(ben, groupId, "@Ana", { mentions: [ana.profileId] })).seq)).mentions, []);
		is(await ben.send("DELETE", `/api/blocks/${ana.profileId}`), 204);
		assert.deepEqual((await factOf(groupId, (await write(ana, groupId, "@Ben", { mentions })).seq)).mentions, mentions);
	});

	test("of who has left since does not make a retry another answer", async () => {
		const groupId = await groupOf(ana, ben);
		const message = { clientId: randomUUID(), content: "@Ben", mentions: [ben.profileId] };
		const { body } = is(await ana.post(path(groupId), message), 201);
		is(await ben.post(`/api/groups/${groupId}/leave`), 204);
		assert.equal(is(await ana.post(path(groupId), message), 200).body.seq, body.seq);
		const socket = await connect(app.url, ana.accessToken);
		assert.partialDeepStrictEqual(await say(socket, "message:send", { groupId, ...message }), {
			seq: body.seq,
			id: body.id,
			replayed: true,
		});
		socket.close();
	});
});

describe("pictures", () => {
	test("come with a message, with or without words, and are shown by links that are good for a while", async () => {
		const groupId = await groupOf(ana, ben);
		const socket = await connect(app.url, ben.accessToken);
		const heard = listen(socket, `group:${groupId}`);
		await say(socket, "group:join", { groupId });
		const attachments = [await uploadOf(app.url, ana), await uploadOf(app.url, ana)];
		const posted = is(await post(ana, groupId, { attachments }), 201).body;
		const message = await shown(ben, groupId, posted.seq);
		assert.equal(message.content, "");
		assert.deepEqual(message.attachments, posted.attachments);
		assert.deepEqual(
			message.attachments.map((one: object) => Object.keys(one).sort()),
			[1, 2].map(() => ["height", "id", "sizes", "type", "url", "width"]),
		);
		await eventually(() => assert.equal(heard.length, 1));
		assert.deepEqual(heard[0].message.attachments, message.attachments);
		const { body: log } = await ben.get(`/api/groups/${groupId}/events?after=${posted.seq - 1}`);
		assert.deepEqual(log.data[0].message.attachments, message.attachments);
		const link = new URL(message.attachments[0].sizes.small);
		assert.equal((await fetchPicture(new URL(link.pathname + link.search, app.url).href)).status, 200);
		assert.deepEqual((await factOf(groupId, posted.seq)).attachments, attachments);
		socket.close();
	});

	test("are the sender's own, each once, ten at the most", async () => {
		const groupId = await groupOf(ana, ben);
		const [mine, theirs] = [await uploadOf(app.url, ana), await uploadOf(app.url, ben)];
		for (const [attachments, at] of [
			[[theirs], "attachments[0]"],
			[[mine, randomUUID()], "attachments[1]"],
			[[mine, mine], "attachments[1]"],
			[["picture"], "attachments[0]"],
		] as const) {
			const refused = is(await post(ana, groupId, { content: "look", attachments }), 422, "validation");
			assert.deepEqual(pathsOf(refused), [at]);
		}
		is(await post(ana, groupId, { attachments: Array.from({ length: 11 }, () => randomUUID()) }), 422, "validation");
	});

	test("go with the message, everywhere", async () => {
		const groupId = await groupOf(ana, ben);
		const attachments = [await uploadOf(app.url, ana)];
		const { seq } = is(await post(ana, groupId, { content: "look", attachments, mentions: [ben.profileId] }), 201).body;
		is(await ana.send("PATCH", path(groupId, seq), { content: "" }), 200);
		assert.equal((await shown(ben, groupId, seq)).content, "");
		is(await ana.send("DELETE", path(groupId, seq)), 204);
		const tombstone = await shown(ben, groupId, seq);
		assert.deepEqual([tombstone.content, tombstone.attachments, tombstone.mentions], [null, undefined, undefined]);
		const { body: log } = await ben.get(`/api/groups/${groupId}/events?limit=500`);
		assert.doesNotMatch(JSON.stringify(log), new RegExp(`${attachments[0]}|look`));
		const [deleted] = await eventually(async () => {
			const facts = await told("groups.message.deleted", groupId);
			assert.equal(facts.length, 1);
			return facts;
		});
		assert.deepEqual(deleted?.payload.attachments, []);
	});
});

describe("what is written", () => {
	test("says something, with words or with pictures", async () => {
		const groupId = await groupOf(ana);
		for (const said of [{}, { content: "" }, { content: " \n\t\u00a0" }, { content: null }, { content: 7 }])
			assert.deepEqual(pathsOf(is(await post(ana, groupId, said), 422, "validation")), ["content"]);
		const { seq } = await write(ana, groupId, "something");
		for (const content of ["", "  "]) is(await ana.send("PATCH", path(groupId, seq), { content }), 422, "validation");
		is(await ana.send("PATCH", path(groupId, seq), {}), 422, "validation");
	});

	test("stays as it is in any script, up to 4,000 characters of whatever size", async () => {
		const groupId = await groupOf(ana, ben);
		const socket = await connect(app.url, ben.accessToken);
		const heard = listen(socket, `group:${groupId}`);
		await say(socket, "group:join", { groupId });
		const texts = [
			"Olá, 你好, こんにちは, 안녕하세요, سڵاو, مرحبا, שלום, Здравствуй, नमस्ते, ໂຊກດີ",
			"👨‍👩‍👧‍👦 👩🏿‍❤️‍💋‍👩🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇵🇹 1️⃣",
			"\u200b\u200d\ufeff zero width, and \u202eright to left\u202c, \u2066isolated\u2069",
			"\u0301".repeat(4_000),
			"🪡".repeat(4_000),
			"</script><b>&amp;\" \\u0000 \\ud800 %00 '",
			"line\r\nbreak\u2028and\u2029more\u0007",
		];
		for (const content of texts) {
			const { seq } = await write(ana, groupId, content);
			assert.equal((await shown(ben, groupId, seq)).content, content);
			await eventually(() => assert.equal(heard.at(-1)?.message?.content, content));
		}
		const { body } = await ben.get(`${path(groupId)}?limit=100`);
		assert.deepEqual(
			body.data.map(({ content }: { content: string }) => content),
			texts,
		);
		for (const content of ["🪡".repeat(4_001), "a\u0000b", "\ud800", "a\udc00\ud800"])
			assert.deepEqual(pathsOf(is(await post(ana, groupId, { content }), 422, "validation")), ["content"]);
		await assert.rejects(say(socket, "message:send", { groupId, clientId: "x", content: "a\u0000b" }), /422/);
		socket.close();
	});

	test("opens no loan as long as nothing can be lent, and says so", async () => {
		const groupId = await groupOf(ana);
		const borrow = { kind: "borrow", content: "May I?", itemId: randomUUID() };
		assert.deepEqual(pathsOf(is(await post(ana, groupId, borrow), 422, "validation")), ["kind"]);
		assert.deepEqual(pathsOf(is(await post(ana, groupId, { ...borrow, kind: "text" }), 422, "validation")), ["itemId"]);
	});
});

describe("edits and deletions", () => {
	test("are for whoever said it; a moderator deletes what those of lower rank and those who have left said", async () => {
		const groupId = await groupOf(ana, ben, cem, eve);
		is(await ana.send("PATCH", `/api/groups/${groupId}/members/${ben.profileId}`, { role: "moderator" }), 200);
		const [byAna, byCem, byEve] = [await write(ana, groupId, "a"), await write(cem, groupId, "c"), await write(eve, groupId, "e")];
		is(await cem.send("DELETE", path(groupId, byEve.seq)), 403, "forbidden");
		is(await ben.send("DELETE", path(groupId, byAna.seq)), 403, "rank");
		is(await ben.send("PATCH", path(groupId, byCem.seq), { content: "mine" }), 403, "forbidden");
		is(await eve.post(`/api/groups/${groupId}/leave`), 204);
		for (const { seq } of [byCem, byEve, byCem]) is(await ben.send("DELETE", path(groupId, seq)), 204);
		const { body } = await ana.get(`${path(groupId)}?limit=100`);
		assert.deepEqual(
			body.data.map(({ content, deletedAt }: { content: string | null; deletedAt?: string }) => [content, deletedAt !== undefined]),
			[
				["a", false],
				[null, true],
				[null, true],
			],
		);
	});

	test("are events on sockets as on HTTP, and a text's former states are in no message", async () => {
		const groupId = await groupOf(ana, ben);
		const socket = await connect(app.url, ben.accessToken);
		const room = `group:${groupId}`;
		const heard = listen(socket, room);
		const { head } = await say(socket, "group:join", { groupId });
		const { seq } = await say(socket, "message:send", { groupId, clientId: "1", content: "frist" });
		assert.deepEqual(await say(socket, "message:edit", { groupId, seq, content: "first" }), { room, seq: seq + 1 });
		const edited = is(await ben.send("PATCH", path(groupId, seq), { content: "first!" }), 200).body;
		assert.deepEqual([edited.content, edited.eventSeq, edited.seq], ["first!", seq + 2, seq]);
		assert.partialDeepStrictEqual(await say(socket, "message:react", { groupId, seq, emoji: "👍" }), { room, seq: seq + 3 });
		assert.doesNotMatch(JSON.stringify(await shown(ana, groupId, seq)), /frist|first"/);
		assert.deepEqual(await say(socket, "message:delete", { groupId, seq }), { room, seq: seq + 4 });
		await assert.rejects(say(socket, "message:edit", { groupId, seq, content: "back" }), /"deleted"/);
		await assert.rejects(say(socket, "message:react", { groupId, seq, emoji: "👍" }), /"deleted"/);
		await eventually(() => assert.equal(heard.length, 5));
		assert.deepEqual(
			heard.map(({ seq: at, type, target, content }) => [at - head, type, target, content]),
			[
				[1, "message", undefined, undefined],
				[2, "edited", seq, "first"],
				[3, "edited", seq, "first!"],
				[4, "reacted", seq, undefined],
				[5, "deleted", seq, undefined],
			],
		);
		const tombstone = await shown(ana, groupId, seq);
		assert.deepEqual([tombstone.content, tombstone.reactions, tombstone.by.displayName], [null, [], "Ben"]);
		socket.close();
	});
});

describe("reactions", () => {
	const reaction = (groupId: string, seq: number, emoji: string) => `${path(groupId, seq)}/reactions/${encodeURIComponent(emoji)}`;

	test("are one of each emoji and person, twenty different ones on a message", async () => {
		const groupId = await groupOf(ana, ben);
		const { seq } = await write(ana, groupId, "look");
		const emoji = [..."😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓"];
		for (const one of emoji) is(await ben.send("PUT", reaction(groupId, seq, one)), 200);
		const refused = is(await ana.send("PUT", reaction(groupId, seq, "😔")), 409, "too-many-emoji");
		assert.equal(refused.body.most, 20);
		const { body } = is(await ana.send("PUT", reaction(groupId, seq, "😀")), 200);
		assert.deepEqual(body.reactions[0], { emoji: "😀", count: 2, mine: true });
		assert.deepEqual(
			(await shown(ben, groupId, seq)).reactions.map((one: { emoji: string }) => one.emoji),
			emoji,
		);
		is(await ben.send("DELETE", reaction(groupId, seq, "😁")), 204);
		is(await ben.send("DELETE", reaction(groupId, seq, "😁")), 204);
		is(await ana.send("PUT", reaction(groupId, seq, "😔")), 200);
	});

	test("are one whole emoji, on both doors; two ways of writing one are one", async () => {
		const groupId = await groupOf(ana, ben);
		const { seq } = await write(ana, groupId, "look");
		const socket = await connect(app.url, ben.accessToken);
		const { head } = await say(socket, "group:join", { groupId });
		for (const emoji of ["a", "1", "👍👍", "👍 ", "🇵", ":+1:", "<3", "\u200d", "👍\u0301\u0301"]) {
			assert.deepEqual(pathsOf(is(await ana.send("PUT", reaction(groupId, seq, emoji)), 422, "validation")), ["emoji"], emoji);
			await assert.rejects(say(socket, "message:react", { groupId, seq, emoji }), /"validation"/);
		}
		is(await ana.send("PUT", reaction(groupId, seq, "❤")), 200);
		const { reactions } = await say(socket, "message:react", { groupId, seq, emoji: "❤️" });
		assert.deepEqual(reactions, [{ emoji: "❤️", count: 2, mine: true }]);
		for (const emoji of ["👩🏿‍❤️‍💋‍👩🏽", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🇵🇹"]) await say(socket, "message:react", { groupId, seq, emoji });
		await say(socket, "message:react", { groupId, seq, emoji: "❤", remove: true });
		const { body } = await ana.get(`/api/groups/${groupId}/events?after=${head}`);
		assert.deepEqual(
			body.data.map(({ type, target, emoji, added, by }: Record<string, unknown>) => [
				type,
				target,
				emoji,
				added,
				(by as Person).displayName,
			]),
			[
				["reacted", seq, "❤️", true, "Ana"],
				["reacted", seq, "❤️", true, "Ben"],
				...["👩🏿‍❤️‍💋‍👩🏽", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🇵🇹"].map((emoji) => ["reacted", seq, emoji, true, "Ben"]),
				["reacted", seq, "❤️", false, "Ben"],
			],
		);
		socket.close();
	});
});

describe("read marks", () => {
	test("reach one's other devices, and unread counts are exact whatever was posted, deleted and said by oneself", async () => {
		const groupId = await groupOf(ana, ben);
		const [phone, desk] = await Promise.all([connect(app.url, ben.accessToken), connect(app.url, ben.accessToken)]);
		const signals: object[] = [];
		desk.on("signal", (signal) => signals.push(signal));
		for (const socket of [phone, desk]) await say(socket, "group:join", { groupId });
		const seqs: number[] = [];
		for (let n = 0; n < 12; n++) seqs.push((await write(n % 3 === 2 ? ben : ana, groupId, `message ${n}`)).seq);
		const unread = async () => {
			const listed = (await ben.get("/api/groups?limit=100")).body.data.find(({ id }: { id: string }) => id === groupId).unread;
			assert.equal((await ben.get(`/api/groups/${groupId}`)).body.unread, listed);
			return listed;
		};
		assert.equal(await unread(), 8);
		for (const at of [0, 2, 4]) is(await (at === 2 ? ben : ana).send("DELETE", path(groupId, seqs[at] as number)), 204);
		assert.equal(await unread(), 6);
		assert.deepEqual(await say(phone, "read", { groupId, seq: seqs[5] }), { groupId, seq: seqs[5], unread: 4 });
		await eventually(() => assert.deepEqual(signals, [{ type: "read", groupId, profileId: ben.profileId, seq: seqs[5] }]));
		assert.equal(await unread(), 4);
		// Nothing is unread of what was read and is deleted then.
		is(await ana.send("DELETE", path(groupId, seqs[3] as number)), 204);
		assert.equal(await unread(), 4);
		is(await ana.send("PUT", `/api/groups/${groupId}/read`, { seq: 0 }), 200);
		for (const socket of [phone, desk]) socket.close();
	});
});
