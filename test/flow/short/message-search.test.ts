// What was said is found again: in several languages, at once, and by nobody who may not read it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { Person } from "../../support/kit.ts";
import { groupOf, is, person, testApp } from "../../support/kit.ts";

const app = await testApp();
const [ana, ben, eve] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben"), person(app.url, "Eve")]);

const write = async (by: Person, groupId: string, content: string, more: object = {}): Promise<{ seq: number }> =>
	is(await by.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), content, ...more }), 201).body;

interface Hit {
	groupId: string;
	groupName: string;
	seq: number;
	content: string;
	matches: { from: number; to: number }[];
}
const asked = async (by: Person, path: string, q: string, more = ""): Promise<{ data: Hit[]; nextCursor: string | null }> =>
	is(await by.get(`/api/${path}search?q=${encodeURIComponent(q)}${more}`), 200).body;
const inGroup = async (by: Person, groupId: string, q: string) =>
	(await asked(by, `groups/${groupId}/`, q)).data.map(({ content }) => content);

/** What is said, what finds it, and what does not. */
const LANGUAGES: [said: string, finds: string[], misses: string[]][] = [
	[
		"Alguém tem peças para a reparação da bicicleta?",
		["reparacao", "REPARAÇÃO", "bicicl", "pecas bicicleta", "alguem"],
		["cicleta", "reparação carro"],
	],
	["Who has a soldering iron for the evening?", ["solder", "iron soldering", "Who"], ["iro n", "environment", "ron"]],
	["ورشة إصلاح الدراجات يوم السبت ٢٠٢٦", ["الإصلاح", "اصلاح", "دراجات", "2026", "السبت"], ["الاحد"]],
	["مَدْرَسَة", ["مدرسة", "مدرسه"], ["مدينة"]],
	["چاککردنەوەی پاسکیل لە كوردستان", ["چاککردنەوە", "پاسکیل", "کوردستان"], ["هەولێر"]],
	["Tamîrkirina bisiklêtê li bajêr", ["tamirkirin", "bisikletê", "BAJÊR"], ["mala"]],
	["이번 주말 자전거수리점에서 만나요", ["수리점", "자전거", "주말", "점"], ["수점", "공원"]],
	["週末に自転車の修理店でガラスを直します", ["修理", "自転車", "ガラス", "ｶﾞﾗｽ", "店"], ["理修", "カラス"]],
	["星期六在东京路修理自行车", ["修理", "自行车", "星期六"], ["京东", "汽车"]],
	["Ремонт ёлки в субботу", ["ремонт", "елки", "СУББОТУ"], ["воскресенье"]],
	["Geniş İSTANBUL ve straße", ["istanbul", "genis", "STRASSE"], ["ankara"]],
	["ＡＢＣ full width, ﬁne ligature", ["abc", "fine"], ["xyz"]],
	["Done! 🎉 see you 🇵🇹", ["🎉", "🇵🇹", "🎉 done"], ["🔥", "🇪🇸"]],
	["zero\u200bwidth \u202eright to left\u202c sof\u00adt", ["zerowidth", "right", "soft"], ["widthzero"]],
];

describe("search", () => {
	test("finds words by how they begin, in any script, whatever their case and accents", async () => {
		const groupId = await groupOf(ana);
		for (const [said] of LANGUAGES) await write(ana, groupId, said);
		for (const [said, finds, misses] of LANGUAGES) {
			for (const q of finds) assert.ok((await inGroup(ana, groupId, q)).includes(said), `"${q}" should find "${said}"`);
			for (const q of misses) assert.ok(!(await inGroup(ana, groupId, q)).includes(said), `"${q}" should not find "${said}"`);
		}
	});

	test("finds at once what was just said, as it is now: edited texts by their new words, deleted ones not at all", async () => {
		const groupId = await groupOf(ana, ben);
		const { seq } = await write(ben, groupId, "a needle and thread");
		assert.deepEqual(await inGroup(ana, groupId, "needle"), ["a needle and thread"]);
		is(await ben.send("PATCH", `/api/groups/${groupId}/messages/${seq}`, { content: "a hook and yarn" }), 200);
		assert.deepEqual([await inGroup(ana, groupId, "needle"), await inGroup(ana, groupId, "yarn")], [[], ["a hook and yarn"]]);
		is(await ben.send("DELETE", `/api/groups/${groupId}/messages/${seq}`), 204);
		assert.deepEqual([await inGroup(ana, groupId, "needle"), await inGroup(ana, groupId, "yarn")], [[], []]);
		// Said, edited and deleted before anybody has searched.
		const other = (await write(ben, groupId, "gone before")).seq;
		const third = (await write(ben, groupId, "gone twice")).seq;
		is(await ben.send("PATCH", `/api/groups/${groupId}/messages/${other}`, { content: "gone after" }), 200);
		for (const one of [other, third]) is(await ben.send("DELETE", `/api/groups/${groupId}/messages/${one}`), 204);
		assert.deepEqual(await inGroup(ana, groupId, "gone"), []);
	});

	test("is newest first, page by page, each message once", async () => {
		const groupId = await groupOf(ana);
		const said: number[] = [];
		for (let n = 0; n < 25; n++) said.unshift((await write(ana, groupId, n % 5 ? `spool ${n}` : `spool and bobbin ${n}`)).seq);
		const walk = async (path: string, q: string) => {
			const seqs: number[] = [];
			for (let cursor: string | null = ""; cursor !== null; ) {
				const { data, nextCursor }: { data: Hit[]; nextCursor: string | null } = await asked(
					ana,
					path,
					q,
					`&limit=4${cursor && `&cursor=${cursor}`}`,
				);
				seqs.push(...data.map(({ seq }) => seq));
				cursor = nextCursor;
			}
			return seqs;
		};
		assert.deepEqual(await walk(`groups/${groupId}/`, "spool"), said);
		assert.deepEqual(
			await walk("messages/", "bobbin spool"),
			said.filter((_, i) => i % 5 === 4),
		);
		is(await ana.get(`/api/groups/${groupId}/search?q=a&cursor=nonsense`), 400, "bad-cursor");
	});

	test("everywhere is in one's own groups, and in no other", async () => {
		const [both, hers, his] = [await groupOf(ana, ben), await groupOf(ana), await groupOf(ben)];
		const word = `w${randomUUID().slice(0, 8)}`;
		for (const [by, groupId] of [
			[ana, both],
			[ana, hers],
			[ben, his],
			[ben, both],
		] as const)
			await write(by, groupId, `${word} by ${by.displayName}`);
		const found = async (by: Person) => (await asked(by, "messages/", word)).data.map(({ groupId, content }) => [groupId, content]);
		assert.deepEqual(await found(ana), [
			[both, `${word} by Ben`],
			[hers, `${word} by Ana`],
			[both, `${word} by Ana`],
		]);
		assert.deepEqual(
			(await found(ben)).map(([groupId]) => groupId),
			[both, his, both],
		);
		assert.deepEqual(await found(eve), []);
		is(await eve.get(`/api/groups/${both}/search?q=${word}`), 403, "not-member");
		is(await eve.get(`/api/groups/${randomUUID()}/search?q=${word}`), 404, "not-found");
		// Who leaves finds nothing of it any more.
		is(await ben.post(`/api/groups/${both}/leave`), 204);
		assert.deepEqual(
			(await found(ben)).map(([groupId]) => groupId),
			[his],
		);
		is(await ana.send("DELETE", `/api/groups/${hers}`), 204);
		assert.deepEqual(
			(await found(ana)).map(([groupId]) => groupId),
			[both, both],
		);
	});

	test("says where a message fits, in the message's own characters", async () => {
		const groupId = await groupOf(ana);
		for (const [content, q, shown] of [
			["Uma reparação, e outra: REPARAÇÕES", "repara", ["reparação", "REPARAÇÕES"]],
			["修理する自転車の修理店", "修理", ["修理", "修理"]],
			["🪡 needle", "🪡 nee", ["🪡", "needle"]],
		] as const) {
			await write(ana, groupId, content);
			const [hit] = (await asked(ana, `groups/${groupId}/`, q)).data;
			assert.deepEqual(
				hit?.matches.map(({ from, to }) => hit.content.slice(from, to)),
				shown,
			);
			assert.deepEqual([hit?.groupId, hit?.groupName], [groupId, "Menders"]);
		}
	});

	test("takes anything as a question: what has no words finds nothing, and nothing is too strange", async () => {
		const groupId = await groupOf(ana);
		await write(ana, groupId, "it's \\ a 'quoted' & (odd) | text:* !now <-> %like_ $1 @here");
		for (const q of ["!!!", "&", "'", ":*", "\u0301", "\u202e", "-", "%"]) assert.deepEqual(await inGroup(ana, groupId, q), [], q);
		for (const q of ["it's", "'quoted'", "\\ a", "(odd) |", "text:*", "!now", "here & now", "like_"])
			assert.equal((await inGroup(ana, groupId, q)).length, 1, q);
		assert.deepEqual(await inGroup(ana, groupId, `@${groupId}`), []);
		for (const q of ["", "x".repeat(201), "\u0000"])
			is(await ana.get(`/api/groups/${groupId}/search?q=${encodeURIComponent(q)}`), 422, "validation");
		is(await ana.get(`/api/groups/${groupId}/search`), 422, "validation");
		await write(ana, groupId, "\u0301".repeat(4_000));
		await write(
			ana,
			groupId,
			Array.from({ length: 1_300 }, (_, n) => `${n % 10}${String.fromCharCode(97 + (n % 26))}`)
				.join(" ")
				.slice(0, 4_000),
		);
		assert.equal((await inGroup(ana, groupId, "3d")).length, 1);
	});
});
