// After an erasure: what is left of a person in the tables of every node, and what becomes of what comes late, or twice.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { keeperNames } from "../../services/contracts/index.ts";
import { ended } from "../support/archive.ts";
import type { Person } from "../support/kit.ts";
import { callAction, connect, eventually, groupOf, hear, http, is, person, testApp, told } from "../support/kit.ts";

const app = await testApp();
const NOBODY = "00000000-0000-0000-0000-000000000000";

const post = async (author: Person, groupId: string, content: string, more: object = {}) =>
	is(await author.post(`/api/groups/${groupId}/messages`, { clientId: randomUUID(), kind: "text", content, ...more }), 201).body;
const erase = async (who: Person) => is(await who.send("DELETE", "/api/auth/me", { password: who.password }), 202).body;
const job = (url: string, { id, ticket }: { id: string; ticket: string }) => http(url, `/api/jobs/${id}?ticket=${ticket}`);
const xpOf = async (who: Person) => (await who.get("/api/gamification/points/me")).body.xp;

/** Rows of a node's tables that have a text in them, by table. */
async function traces(node: string, text: string): Promise<Record<string, string[]>> {
	const db = database(node);
	const tables = await db.query<{ name: string }>(
		`select quote_ident(c.relname) as name from pg_class c
		where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
	);
	const found: Record<string, string[]> = {};
	for (const { name } of tables) {
		const rows = await db.query<{ row: string }>(`select t::text as row from ${name} t where t::text like $1`, [`%${text}%`]);
		if (rows.length > 0) found[name] = rows.map(({ row }) => row);
	}
	return found;
}

/** What may still have the ids: that they were erased and when, and the empty account in whose place nobody comes. */
const MAY_KEEP_IDS: Record<string, RegExp> = {
	erased_people: /./,
	// Until its tokens are over.
	deleted_profiles: /./,
	inbox: /identity\.account\.erased|\.person\.erased/,
	outbox: /identity\.account\.erased|\.person\.erased/,
	accounts: /purged/,
	work: /erase/,
	audit: /./,
};

describe("after an erasure", () => {
	it("no table of any node has the person's name, e-mail or ids, but those that say that they were erased", async () => {
		const displayName = `Anastazia ${randomUUID().slice(0, 8)}`;
		const [ana, ben] = [await person(app.url, displayName), await person(app.url, "Ben")];
		const socket = await connect(app.url, ana.accessToken);
		const groupId = await groupOf(ana, ben);
		is(await ana.send("PATCH", `/api/profiles/${ana.profileId}`, { displayName: `${displayName} II`, bio: `${displayName} mends` }), 200);
		const { id: other } = is(await ana.post("/api/profiles", { displayName: `${displayName} III`, kind: "consumer" }), 201).body;
		is(await ana.send("DELETE", `/api/profiles/${other}`), 204);
		await eventually(async () => assert.ok((await traces("presence", other)).gone));
		await eventually(async () => assert.ok((await traces("groups", displayName)).people));
		is(await http(app.url, "/api/auth/login", { body: { email: ana.email, password: "not this one" } }), 401, "invalid-credentials");
		const hers = await post(ana, groupId, "mine");
		const his = await post(ben, groupId, "yours?", { mentions: [ana.profileId], replyTo: hers.seq });
		is(await ana.send("PUT", `/api/groups/${groupId}/messages/${his.seq}/reactions/👍`), 200);
		is(await ana.send("PATCH", `/api/groups/${groupId}/messages/${hers.seq}`, { content: "mine indeed" }), 200);
		const left = await groupOf(ben, ana);
		await post(ana, left, "I was here");
		is(await ana.post(`/api/groups/${left}/leave`), 204);
		const own = is(await ana.post("/api/groups", { name: "Private", isPublic: false }), 201).body.id;
		is(await ben.post(`/api/groups/${own}/join`), 200);
		const bens = is(await ben.post("/api/groups", { name: "Private", isPublic: false }), 201).body.id;
		is(await ana.post(`/api/groups/${bens}/join`), 200);
		const cem = await person(app.url, "Cem");
		is(await ana.post(`/api/groups/${groupId}/invites`, { profileId: cem.profileId }), 201);
		is(await ana.post("/api/notifications/devices", { kind: "android", token: `phone:${displayName.replaceAll(" ", "_")}` }), 201);
		is(await ana.send("PUT", `/api/blocks/${cem.profileId}`), 200);
		is(await ben.send("PUT", `/api/blocks/${ana.profileId}`), 200);
		is(await ana.send("PUT", `/api/groups/${groupId}/mute`), 200);
		is(await ben.post(`/api/groups/${groupId}/messages/${hers.seq}/flag`, { reason: "spam" }), 201);
		await eventually(async () => assert.ok((await xpOf(ana)) > 0));
		is(await ana.post("/api/auth/me/export"), 202);
		for (const text of [displayName, ana.email, ana.profileId])
			assert.ok(
				(await Promise.all(keeperNames.map((node) => traces(node, text)))).some((found) => Object.keys(found).length > 0),
				text,
			);
		const begun = await erase(ana);
		await ended(() => job(app.url, begun));
		socket.close();
		for (const node of keeperNames) {
			for (const text of [displayName, ana.email]) assert.deepEqual(await traces(node, text), {}, node);
			for (const id of [ana.profileId, ana.accountId, other])
				for (const [table, rows] of Object.entries(await traces(node, id)))
					assert.deepEqual(
						rows.filter((row) => !MAY_KEEP_IDS[table]?.test(row)),
						[],
						`${node}.${table}`,
					);
		}
	});

	it("every sum of the ledger is what it was, and the wallet is nobody's", async () => {
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const groupId = await groupOf(ana, ben);
		for (let n = 0; n < 3; n++) await post(ana, groupId, `word ${n}`);
		await eventually(async () => assert.ok((await xpOf(ana)) > 0));
		const before = await callAction(app.broker, "gamification.checkLedgers", {});
		const begun = await erase(ana);
		await ended(() => job(app.url, begun));
		const after = await callAction(app.broker, "gamification.checkLedgers", {});
		assert.equal(after.ok, true);
		for (const [index, { currency, sum, entries }] of before.ledgers.entries())
			assert.ok(after.ledgers[index]?.currency === currency && after.ledgers[index].sum === sum && after.ledgers[index].entries >= entries);
		const db = database("gamification");
		assert.deepEqual(await db.query("select 1 from entries where owner = $1 or counterpart = $1", [ana.profileId]), []);
		// What an entry says stays under lock: only whose it was could be forgotten, and only so.
		for (const change of ["amount = amount + 1", "owner = 'somebody'", "source = 'x'", "owner = 'erased:x' where owner = 'issuer'"])
			await assert.rejects(db.query(`update entries set ${change}`), { code: "23001" }, change);
	});

	it("what comes late of the person is written down nowhere", async () => {
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const groupId = await groupOf(ben, ana);
		const begun = await erase(ana);
		await ended(() => job(app.url, begun));
		const payload = { groupId, seq: 99, messageId: randomUUID(), kind: "text", content: "late" };
		for (const senderId of [ana.profileId, NOBODY])
			await hear(app.broker, {
				type: "groups.message.posted",
				aggregate: groupId,
				payload: { ...payload, messageId: randomUUID(), senderId },
			});
		const paid = { profileId: ana.profileId, currency: "xp", amount: 1, reason: "message", source: "late", total: 1 } as const;
		await hear(app.broker, { type: "gamification.points.awarded", aggregate: ana.profileId, payload: paid });
		const accounts = await database("gamification").query("select 1 from accounts where owner = any($1)", [[ana.profileId, NOBODY]]);
		assert.deepEqual(accounts, []);
		assert.deepEqual(await database("presence").query("select 1 from room_events where room = $1", [ana.profileId]), []);
	});

	it("hearing of it twice changes nothing, and a node's first receipt counts", async () => {
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const groupId = await groupOf(ben, ana);
		await post(ana, groupId, "once");
		const begun = await erase(ana);
		const { result } = await ended(() => job(app.url, begun));
		const [fact] = await told("identity.account.erased", ana.accountId);
		assert.ok(fact);
		const log = (await ben.get(`/api/groups/${groupId}/events`)).body;
		const { id: _id, ...again } = fact;
		await hear(app.broker, { type: again.type, aggregate: again.aggregate, payload: again.payload });
		assert.deepEqual((await ben.get(`/api/groups/${groupId}/events`)).body, log);
		assert.deepEqual((await job(app.url, begun)).body.result, result);
	});
});
