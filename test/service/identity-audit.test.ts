// The audit: shown to those who may, and whole, or it shows.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { addAudit } from "../../services/identity/store/audit.ts";
import { identityHouse, refusedWith } from "../support/identity-house.ts";

const { sql, call } = await identityHouse();

const target = randomUUID();
const [ana, ben] = [randomUUID(), randomUUID()];
const entry = (action: string, actor: string | null = null, more: object = {}) => ({
	actor,
	action,
	target,
	requestId: "a-request",
	...more,
});
const write = (action: string, actor?: string, more?: object) =>
	database("identity").tx((tx) => addAudit(tx, entry(action, actor, more), new Date()));

/** What somebody does who owns the database: past every trigger. */
async function tamper(statement: string, values: unknown[] = []): Promise<void> {
	await sql("alter table audit disable trigger user");
	await sql(statement, values);
	await sql("alter table audit enable trigger user");
}
/** Tampers, looks, and puts it back. */
async function whileTampered(statement: string, look: () => Promise<void>): Promise<void> {
	await sql("create table kept as select * from audit");
	await tamper(statement);
	await look();
	await tamper("truncate audit");
	await tamper("insert into audit select * from kept");
	await sql("drop table kept");
	assert.equal((await call("audit.check", {})).ok, true);
}

for (const action of ["one", "two", "three", "four", "five"])
	await write(action, action === "four" ? ben : ana, { before: { n: 1 }, after: { n: 2 } });

describe("the audit", () => {
	test("is shown newest first, in pages, by actor, action, target and time", async () => {
		const actions = async (filter: object) => (await call("audit.list", { target, ...filter })).data.map(({ action }) => action);
		assert.deepEqual(await actions({}), ["five", "four", "three", "two", "one"]);
		assert.deepEqual(await actions({ actor: ben }), ["four"]);
		assert.deepEqual(await actions({ action: "two" }), ["two"]);
		const { data } = await call("audit.list", { target });
		assert.deepEqual(await actions({ from: data[2]?.at as string, to: data[0]?.at as string }), ["four", "three"]);
		const first = await call("audit.list", { target, limit: 3 });
		const rest = await call("audit.list", { target, limit: 3, cursor: first.nextCursor as string });
		assert.deepEqual(
			[...first.data, ...rest.data].map(({ action }) => action),
			["five", "four", "three", "two", "one"],
		);
		assert.deepEqual([data[0]?.before, data[0]?.after, data[0]?.requestId, rest.nextCursor], [{ n: 1 }, { n: 2 }, "a-request", null]);
		assert.match(data[0]?.hash as string, /^[0-9a-f]{64}$/);
		await refusedWith("bad-cursor", call("audit.list", { cursor: "nonsense" }));
	});

	test("takes no change, no removal and no emptying", async () => {
		for (const statement of [
			"update audit set action = 'nothing'",
			"update audit set hash = null",
			"update audit set seq = seq + 100, hash = hash",
			"delete from audit",
			"truncate audit",
		])
			await assert.rejects(sql(statement), /kept as they are/, statement);
		assert.equal((await call("audit.check", {})).ok, true);
	});

	test("shows a removed entry, wherever it was", async () => {
		const { data } = await call("audit.list", { target });
		const seqOf = (action: string) => data.find((one) => one.action === action)?.seq as number;
		for (const action of ["one", "three", "five"])
			await whileTampered(`delete from audit where seq = ${seqOf(action)}`, async () => {
				const { ok, broken } = await call("audit.check", {});
				assert.deepEqual([ok, broken?.seq, broken?.fault], [false, seqOf(action), "removed"]);
			});
	});

	test("shows a changed entry, and one that was put in past the chain", async () => {
		const { data } = await call("audit.list", { target, action: "three" });
		const three = data[0] as (typeof data)[0];
		for (const change of [
			"action = 'four'",
			`actor = '${ben}'`,
			"target = 'x'",
			"at = at + interval '1 ms'",
			`before = '{"n":3}'`,
			`detail = '{"n":3}'`,
			"request_id = null",
			"hash = sha256('x')",
		])
			await whileTampered(`update audit set ${change} where seq = ${three.seq}`, async () => {
				const { ok, broken } = await call("audit.check", {});
				assert.deepEqual([ok, broken?.seq, broken?.id, broken?.fault], [false, three.seq, three.id, "changed"], change);
			});
		await whileTampered(
			`insert into audit (id, at, action, target, detail) values ('${randomUUID()}', now(), 'forged', 'x', '{}')`,
			async () => {
				const { ok, broken } = await call("audit.check", {});
				assert.deepEqual([ok, broken?.action, broken?.fault], [false, "forged", "inserted"]);
			},
		);
	});

	test("loses what names a person with them, and is whole without it; nothing else may be put in its place", async () => {
		const somebody = randomUUID();
		const personal = { before: { email: "ana@example.org" }, after: { email: "ben@example.org" } };
		await database("identity").tx((tx) =>
			addAudit(tx, { actor: null, action: "mail", target: somebody, requestId: null, after: { state: "active" }, personal }, new Date()),
		);
		const shown = async () => (await call("audit.list", { target: somebody })).data[0];
		assert.deepEqual((await shown())?.before, { email: "ana@example.org" });
		await assert.rejects(sql("update audit set personal = '{}' where target = $1", [somebody]), /kept as they are/);
		await sql("update audit set personal = null where target = $1", [somebody]);
		const after = await shown();
		assert.deepEqual([after?.before, after?.after], [null, { state: "active" }]);
		assert.equal((await call("audit.check", {})).ok, true);
	});

	test("is one chain whoever writes at once, and what is rolled back leaves no gap in it", async () => {
		const writers = Array.from({ length: 100 }, (_, at) =>
			database("identity").tx(async (tx) => {
				await addAudit(tx, entry(`parallel ${at}`), new Date());
				if (at % 10 === 0) await addAudit(tx, entry(`twice ${at}`), new Date());
				if (at % 7 === 0) throw new Error("rolled back");
			}),
		);
		await Promise.allSettled(writers);
		const { ok, entries } = await call("audit.check", {});
		const [counted] = await sql<{ count: number; last: number }>("select count(*)::int as count, max(seq) as last from audit");
		assert.deepEqual([ok, entries, counted?.last], [true, counted?.count, counted?.count]);
	});

	test("holds nobody up: a writer that waits for something else keeps no other from writing", async () => {
		const go = Promise.withResolvers<void>();
		const slow = database("identity").tx(async (tx) => {
			await addAudit(tx, entry("slow"), new Date());
			await go.promise;
		});
		await write("quick");
		go.resolve();
		await slow;
		assert.deepEqual(
			(await call("audit.list", { target, limit: 2 })).data.map(({ action }) => action),
			["slow", "quick"],
		);
	});
});
