// Long work on a database of its own: what becomes of it when it fails, when its process dies, and when it is old.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { ServiceBroker } from "moleculer";
import { database } from "../../mixins/postgres.ts";
import { jobsOf } from "../../mixins/jobs/index.ts";
import { finder, newJobId } from "../../mixins/work/id.ts";
import type { Begin } from "../../mixins/work/index.ts";
import { workOf } from "../../mixins/work/index.ts";
import { findWork } from "../../mixins/work/store.ts";
import { problem } from "../../services/contracts/errors.ts";
import type { Ctx, Principal } from "../../services/contracts/index.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { NODE, startProcess } from "../support/jobs.ts";
import { servicesWith } from "../support/nodes.ts";
import { turnClock } from "../support/clock.ts";

const services = servicesWith({ [NODE]: { "0001_work": "-- parts: jobs, work\n-- Up Migration\n\n-- Down Migration\n" } });
const fresh = await testDatabase([NODE], services);
after(() => fresh.close());
const db = database(NODE);

/** Opened by the test when the work may go on. */
let gate = Promise.withResolvers<void>();
let fails = 0;
afterEach(() => {
	gate = Promise.withResolvers();
	fails = 0;
});

const work = workOf(NODE, {
	count: {
		async run({ to }: { to: number }, { progress }) {
			for (let n = 1; n <= to; n++) await progress(n, to);
			return { counted: to };
		},
	},
	wait: {
		async run(_input: object, { progress }) {
			await progress(1, 2);
			await gate.promise;
			return { waited: true };
		},
		secret: true,
	},
	refuse: { run: () => Promise.reject(problem("too-large", { detail: "That is too much." })) },
	stumble: {
		async run() {
			if (fails-- > 0) throw new Error("a secret of the house");
			return {};
		},
	},
});
const start = () => startProcess(jobsOf(NODE, { ...work.tasks }, { lookEvery: 100 }));
const { broker } = await start();
after(() => broker.stop());

/** A caller, as far as long work asks. */
const as = <P>(accountId: string | undefined, params: P, scopes: string[] = [], at: ServiceBroker = broker) =>
	({ params, broker: at, meta: accountId ? { principal: { accountId, scopes } as unknown as Principal } : {} }) as unknown as Ctx<P>;
const ANA = "0190a000-0000-7000-8000-00000000000a";
const EVE = "0190a000-0000-7000-8000-00000000000e";
const begin = <K extends "count" | "wait" | "refuse" | "stumble">(kind: K, input: Parameters<typeof work.begin<K>>[3], more: Begin = {}) =>
	db.tx((tx) => work.begin(tx, as(ANA, {}), kind, input, more));
const look = (jobId: string, ticket?: string) => work.show(as(ANA, { jobId, ticket }));
const ended = (jobId: string, state: "done" | "failed") =>
	eventually(async () => {
		const job = await look(jobId);
		assert.equal(job.state, state, JSON.stringify(job));
		return job;
	}, 30_000);

test("waits, runs, and is done with its result; how far it is can be seen meanwhile", async () => {
	const job = await begin("wait", {}, { total: 2 });
	assert.deepEqual([job.state, job.done, job.total, job.result], ["waiting", 0, 2, undefined]);
	await eventually(async () => assert.partialDeepStrictEqual(await look(job.id), { state: "running", done: 1, total: 2 }));
	gate.resolve();
	assert.partialDeepStrictEqual(await ended(job.id, "done"), { done: 2, total: 2, result: { waited: true } });
});

test("a refusal ends it at once, and says why", async () => {
	const { id } = await begin("refuse", {} as never);
	const { error, result } = await ended(id, "failed");
	assert.deepEqual([error, result], [{ code: "too-large", detail: "That is too much." }, undefined]);
});

test("what goes wrong is tried again", async () => {
	fails = 1;
	const { id } = await begin("stumble", {} as never);
	await ended(id, "done");
	assert.equal((await findWork(db, id))?.tries, 2);
});

test("what goes wrong for good is failed, and says nothing of the house", async () => {
	const { id } = await begin("stumble", {} as never);
	await ended(id, "done");
	const other = await db.tx(async (tx) => {
		fails = 100;
		const job = await work.begin(tx, as(ANA, {}), "stumble", {} as never);
		await tx.query("update work set tries = 7 where id = $1", [job.id]);
		return job;
	});
	const { error } = await ended(other.id, "failed");
	assert.equal(error?.code, "internal");
	assert.doesNotMatch(JSON.stringify(error), /secret/);
});

test("goes on in another process when its own has died", async () => {
	const { id } = await begin("wait", {});
	await eventually(async () => assert.equal((await look(id)).state, "running"));
	// As a process leaves that is killed: the job is held by somebody who notes nothing any more.
	await db.query(`update ${NODE}_jobs._private_jobs set locked_by = 'worker-of-the-dead' where locked_at is not null`);
	await eventually(async () => assert.equal((await findWork(db, id))?.tries, 2));
	gate.resolve();
	assert.deepEqual((await ended(id, "done")).result, { waited: true });
});

test("two of one name are one", async () => {
	const made = await Promise.all(Array.from({ length: 5 }, () => begin("wait", {}, { once: "only" })));
	assert.equal(new Set(made.map(({ id }) => id)).size, 1);
	gate.resolve();
	await ended(made[0]?.id ?? "", "done");
	const next = await begin("wait", {}, { once: "only" });
	assert.notEqual(next.id, made[0]?.id);
	await ended(next.id, "done");
});

test("is shown to its starter, to operators without a secret result, and to whoever has the ticket", async () => {
	const { id: jobId, ticket } = await begin("wait", {}, { ticket: true });
	gate.resolve();
	await ended(jobId, "done");
	const result = { waited: true };
	const [stored] = await db.query<{ row: string }>("select w::text as row from work w where id = $1", [jobId]);
	assert.ok(ticket && !stored?.row.includes(ticket));
	assert.deepEqual((await work.show(as(undefined, { jobId, ticket }))).result, result);
	assert.deepEqual((await work.show(as(ANA, { jobId }))).result, result);
	const seen = await work.show(as(EVE, { jobId }, ["ops:read"]));
	assert.deepEqual([seen.state, seen.result], ["done", undefined]);
	const refused = (who: string | undefined, given: string | undefined, code: string) =>
		assert.rejects(work.show(as(who, { jobId, ticket: given })), { type: code });
	await refused(EVE, undefined, "not-found");
	await refused(EVE, `${ticket}x`, "not-found");
	await refused(undefined, "x", "not-found");
	await refused(undefined, undefined, "unauthenticated");
});

test("is forgotten a week after its end", async () => {
	const { id } = await begin("count", { to: 3 });
	await ended(id, "done");
	const sweep = (at: Date) => work.tasks.sweepWork.run({ db, at } as never);
	await sweep(new Date());
	assert.ok(await findWork(db, id));
	turnClock(8 * 86_400_000);
	await sweep(new Date());
	assert.equal(await findWork(db, id), undefined);
});

test("its id says which node has it, and ids are in the order of their making", () => {
	const nodeOf = finder(["identity", "groups", "notes"]);
	const ids = Array.from({ length: 100 }, () => newJobId("groups"));
	assert.deepEqual(ids.toSorted(), ids);
	assert.equal(new Set(ids).size, 100);
	for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	assert.deepEqual([nodeOf(ids[0] ?? ""), nodeOf(newJobId("notes")), nodeOf(newJobId("elsewhere"))], ["groups", "notes", undefined]);
	assert.throws(() => finder(["notes", "notes"] as string[]), /same tag/);
});
