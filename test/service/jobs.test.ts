// Jobs: planned with the state that asks for them, done at their time, once; what fails, hangs or dies is done again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, mock, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { migrateAll } from "../../config/migrations.ts";
import { checkJobs, jobsOf } from "../../mixins/jobs/index.ts";
import type { Jobs, Tasks } from "../../mixins/jobs/index.ts";
import { failedJobs, jobsState, retryJobs } from "../../mixins/jobs/state.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import type { FreshDatabase } from "../support/database.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";
import { testEnvironment } from "../support/environment.ts";
import { eventually } from "../support/eventually.ts";
import { NODE, note, noted, notesServices, startProcess } from "../support/jobs.ts";
import type { Process } from "../support/jobs.ts";

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

const services = notesServices();
let fresh: FreshDatabase;
let db: Db;
const running: Process[] = [];

before(async () => {
	fresh = await testDatabase([NODE], services);
	db = database(NODE);
});
after(async () => {
	await fresh?.close();
	fs.rmSync(services, { recursive: true });
});
beforeEach(async () => {
	await db.query("truncate done, notes_jobs._private_jobs");
});
afterEach(async () => {
	mock.timers.reset();
	await Promise.all(running.splice(0).map(({ broker }) => broker.stop()));
});

async function start<T extends Tasks>(jobs: Jobs<T>, options = {}): Promise<Process> {
	const process = await startProcess(jobs, options);
	running.push(process);
	return process;
}

/** Writes down its payload. */
const writing = jobsOf(NODE, {
	async write({ text }: { text: string }, { at }) {
		await note(db, text, at);
	},
});
const plan = (text: string, when?: { at?: Date; key?: string }) => db.tx((tx) => writing.plan(tx, "write", { text }, when));
const inAWhile = (ms: number) => new Date(Date.now() + ms);
const doneIs = (...expected: string[]) => eventually(async () => assert.deepEqual(await noted(db), expected));
const state = async () => (await jobsState(db, NODE, new Date())).write;
const nothing = { waiting: 0, due: 0, running: 0, failed: 0 };

test("jobs that no service of their node names stop its start with what to write", async () => {
	const forgotten = jobsOf("letters", { post: async (_: object) => {} });
	const broker = new ServiceBroker({ logger: false, skipProcessEventRegistration: true });
	checkJobs(broker);
	const letters = broker.createService({ name: "letters" });
	assert.throws(() => checkJobs(broker), /^Error: The node letters has jobs that nobody does: .* service\("letters", \{ jobs, … \}\)\.$/);
	await broker.destroyService(letters);
	broker.createService({ name: "letters", mixins: [forgotten.mixin] });
	checkJobs(broker);
});

test("a job is handed the node's database, and the cause of what it tells: nobody", async () => {
	const jobs = jobsOf(NODE, {
		write: (_: object, { db, cause }) => db.tx((tx) => tx.query("insert into done (what, at) values ($1, now())", [JSON.stringify(cause)])),
	});
	await start(jobs);
	await db.tx((tx) => jobs.plan(tx, "write", {}));
	await doneIs('{"requestId":null,"actor":null}');
});

describe("planning", () => {
	test("a job of a transaction that is rolled back never was", async () => {
		await assert.rejects(
			db.tx(async (tx) => {
				await writing.plan(tx, "write", { text: "never" });
				throw new Error("no");
			}),
			/no/,
		);
		assert.equal(await state(), undefined);
	});

	test("a job of a transaction that commits is done at once by a process that is up, although nobody polls yet", async () => {
		await start(writing);
		await doneIs();
		await plan("now");
		await doneIs("now");
		await eventually(async () => assert.equal(await state(), undefined));
	});

	test("a job is done at its time, within about a second, and not before", async () => {
		await start(writing);
		const at = inAWhile(1_500);
		await plan("later", { at });
		assert.deepEqual(await state(), { ...nothing, waiting: 1 });
		await doneIs("later");
		const [row] = await db.query<{ at: string }>("select at from done");
		const late = Date.parse(row?.at ?? "") - at.getTime();
		assert.ok(late >= 0, `${late} ms`);
	});

	test("what became due while nobody was there is done at once after the start", async () => {
		await plan("missed", { at: inAWhile(-HOUR) });
		assert.deepEqual(await state(), { ...nothing, due: 1 });
		await start(writing);
		await doneIs("missed");
	});

	test("a job that is due at the start finds all services of its process", async () => {
		const asking = jobsOf(
			NODE,
			{
				async write({ text }: { text: string }, { broker }) {
					await note(db, `${text} ${await broker.call("slow.word")}`);
				},
			},
			{ tries: 1 },
		);
		await plan("says");
		const { promise: started, resolve } = Promise.withResolvers<void>();
		const slow = { name: "slow", actions: { word: () => "hello" }, started: () => started };
		const starting = startProcess(asking, { services: [slow] });
		setImmediate(resolve);
		running.push(await starting);
		await doneIs("says hello");
	});

	test("the same key again moves the job and replaces its payload; another key, or another task, is another job", async () => {
		const two = jobsOf(NODE, {
			write: async ({ text }: { text: string }) => note(db, text),
			shout: async ({ text }: { text: string }) => note(db, text.toUpperCase()),
		});
		await plan("first", { key: "a", at: inAWhile(HOUR) });
		await plan("second", { key: "a" });
		await plan("other", { key: "b" });
		await db.tx((tx) => two.plan(tx, "shout", { text: "loud" }, { key: "a" }));
		await start(two);
		await eventually(async () => assert.deepEqual((await noted(db)).sort(), ["LOUD", "other", "second"]));
	});

	test("a cancelled job is not done", async () => {
		await plan("cancelled", { key: "a" });
		await plan("kept", { key: "b" });
		await db.tx((tx) => writing.cancel(tx, "write", "a"));
		await start(writing);
		await doneIs("kept");
		await eventually(async () => assert.equal(await state(), undefined));
		await doneIs("kept");
	});

	test("a tool plans jobs and does none", async () => {
		await start(writing, { tool: true });
		await plan("tool");
		const other = await start(jobsOf(NODE, { other: async () => note(db, "other") }));
		assert.ok(other);
		await db.tx((tx) => jobsOf(NODE, { other: async () => {} }).plan(tx, "other", undefined as never));
		await doneIs("other");
		assert.deepEqual(await state(), { ...nothing, due: 1 });
	});
});

describe("several processes", () => {
	test("share the work, and each job is done once", async () => {
		await Promise.all([start(writing), start(writing), start(writing)]);
		const texts = Array.from({ length: 60 }, (_, n) => `job ${String(n).padStart(2, "0")}`);
		await Promise.all(texts.map((text) => plan(text)));
		await eventually(async () => assert.equal((await noted(db)).length, 60));
		await eventually(async () => assert.equal(await state(), undefined));
		assert.deepEqual((await noted(db)).sort(), texts);
	});

	test("a job that is planned again while it runs is done once more afterwards", async () => {
		const gate = Promise.withResolvers<void>();
		const jobs = jobsOf(NODE, {
			async write({ text }: { text: string }) {
				if (text === "old") await gate.promise;
				await note(db, text);
			},
		});
		await start(jobs);
		await plan("old", { key: "a" });
		await eventually(async () => assert.equal((await state())?.running, 1));
		await plan("new", { key: "a" });
		await doneIs("new");
		gate.resolve();
		await doneIs("new", "old");
		await eventually(async () => assert.equal(await state(), undefined));
	});
});

describe("a job that fails", () => {
	const failing = (options: { tries?: number }, bad = new Set(["bad"])) =>
		jobsOf(
			NODE,
			{
				async write({ text }: { text: string }) {
					if (bad.has(text)) throw new Error(`cannot write ${text}`);
					await note(db, text);
				},
			},
			options,
		);

	test("is tried again later", async () => {
		const bad = new Set(["bad"]);
		const jobs = failing({ tries: 5 }, bad);
		stopClock();
		const { lines } = await start(jobs);
		await db.tx((tx) => jobs.plan(tx, "write", { text: "bad" }));
		await eventually(() => assert.equal(lines.filter((line) => line.includes("a job failed")).length, 1));
		assert.deepEqual(await noted(db), []);
		bad.clear();
		turnClock(HOUR);
		await doneIs("bad");
	});

	test("is given up after its last try, with its cause, for operators to see; and can be given another life", async () => {
		const bad = new Set(["bad"]);
		const jobs = failing({ tries: 2 }, bad);
		stopClock();
		await start(jobs);
		await db.tx((tx) => jobs.plan(tx, "write", { text: "bad" }, { key: "k" }));
		await eventually(async () => {
			turnClock(HOUR);
			assert.deepEqual(await state(), { ...nothing, failed: 1 });
		});
		const [failed, ...more] = await failedJobs(db, NODE);
		assert.equal(more.length, 0);
		assert.partialDeepStrictEqual(failed, { task: "write", key: "k", tries: 2 });
		assert.match(failed?.cause ?? "", /^Error: cannot write bad\n/);
		turnClock(WEEK);
		assert.equal(await retryJobs(db, NODE, new Date(), (failed?.id ?? 0) + 1), 0);
		bad.clear();
		assert.equal(await retryJobs(db, NODE, new Date(), failed?.id), 1);
		await doneIs("bad");
	});

	test("does not keep others waiting", async () => {
		const jobs = failing({});
		await start(jobs);
		await db.tx((tx) => jobs.plan(tx, "write", { text: "bad" }));
		await db.tx((tx) => jobs.plan(tx, "write", { text: "good" }));
		await doneIs("good");
	});

	test("was replaced by a later plan: nobody hears of it any more", async () => {
		const jobs = failing({ tries: 1 });
		const { lines } = await start(jobs);
		await db.tx((tx) => jobs.plan(tx, "write", { text: "bad" }, { key: "k" }));
		await eventually(async () => assert.deepEqual(await state(), { ...nothing, failed: 1 }));
		await db.tx((tx) => jobs.plan(tx, "write", { text: "good" }, { key: "k" }));
		await doneIs("good");
		await eventually(async () => assert.equal(await state(), undefined));
		assert.equal(lines.filter((line) => line.includes("a job failed")).length, 1);
	});

	test("leaves neither its payload nor its cause in the log", async () => {
		const jobs = jobsOf(
			NODE,
			{
				async write({ text }: { text: string }) {
					await db.query("select $1::int", [text]);
				},
			},
			{ tries: 1 },
		);
		const { lines } = await start(jobs);
		await db.tx((tx) => jobs.plan(tx, "write", { text: "secret" }));
		await eventually(async () => assert.match((await failedJobs(db, NODE))[0]?.cause ?? "", /invalid input syntax.*secret/));
		const told = lines.filter((line) => line.includes("job"));
		assert.equal(told.length, 1, told.join("\n"));
		assert.doesNotMatch(told.join(), /secret|syntax/);
	});
});

describe("a process that dies", () => {
	/** A process of its own that has begun job `id`. */
	async function hanging(id: string) {
		const script = path.resolve(import.meta.dirname, "../support/jobs-child.ts");
		const child = spawn(process.execPath, [script, fresh.urlFor(NODE)], {
			env: testEnvironment(),
			stdio: ["ignore", "ignore", "inherit"],
		});
		const hangs = jobsOf(NODE, { hang: async (_: { id: string }) => {} });
		await db.tx((tx) => hangs.plan(tx, "hang", { id }));
		await doneIs(`${id} begun`);
		return child;
	}
	const ends = jobsOf(NODE, { hang: async ({ id }: { id: string }) => note(db, `${id} ended`) }, { lookEvery: 100 });

	test("by kill -9 in the middle of a job has it done by another process, seconds later", { timeout: 30_000 }, async () => {
		const child = await hanging("x");
		try {
			const { lines } = await start(ends);
			child.kill("SIGKILL");
			await once(child, "exit");
			await doneIs("x begun", "x ended");
			assert.match(lines.join("\n"), /jobs of a process that ended are free again/);
		} finally {
			child.kill("SIGKILL");
		}
	});

	test("by kill -9 has its job done after a restart, too", { timeout: 30_000 }, async () => {
		const child = await hanging("y");
		child.kill("SIGKILL");
		await once(child, "exit");
		await start(ends);
		await doneIs("y begun", "y ended");
	});

	test("is told from one that only takes long", { timeout: 30_000 }, async () => {
		const gate = Promise.withResolvers<void>();
		let begun = 0;
		const slow = jobsOf(
			NODE,
			{
				async write({ text }: { text: string }) {
					begun++;
					await gate.promise;
					await note(db, text);
				},
			},
			{ lookEvery: 50 },
		);
		await Promise.all([start(slow), start(slow)]);
		await plan("slow");
		// Ten notes: more than twice as long as one that is dead is waited for.
		const marks = new Set<string>();
		await eventually(async () => {
			const [row] = await db.query<{ at: string }>(
				"select locked_at::text as at from notes_jobs._private_jobs where locked_at is not null",
			);
			if (row) marks.add(row.at);
			assert.ok(marks.size > 10);
		});
		gate.resolve();
		await doneIs("slow");
		assert.equal(begun, 1);
	});

	test("in its last try leaves a failed job that says so", { timeout: 30_000 }, async () => {
		const child = await hanging("z");
		await db.query("update notes_jobs._private_jobs set attempts = max_attempts");
		child.kill("SIGKILL");
		await once(child, "exit");
		await start(ends);
		await eventually(async () => assert.equal((await failedJobs(db, NODE))[0]?.cause, "Its process ended in the middle of it."));
	});
});

describe("the clock", () => {
	test("turned forward by a week, a job of next week is done now", async () => {
		stopClock();
		await start(writing);
		await plan("next week", { at: inAWhile(WEEK) });
		assert.deepEqual(await state(), { ...nothing, waiting: 1 });
		turnClock(WEEK);
		await doneIs("next week");
	});

	test("brings a recurring job at each of its times, once for all processes", async () => {
		stopClock();
		const recurring = jobsOf(NODE, { sweep: { every: "hourly", run: ({ at }) => note(db, "swept", at) } });
		await Promise.all([start(recurring), start(recurring)]);
		const waits = (n: number) =>
			eventually(async () => {
				assert.deepEqual((await jobsState(db, NODE, new Date())).sweep, { ...nothing, waiting: 1 });
				assert.equal((await noted(db)).length, n);
			});
		await waits(0);
		for (let hour = 1; hour <= 3; hour++) {
			turnClock(HOUR);
			await waits(hour);
		}
		// Nobody was there for days: it comes once, and then at its next time.
		await Promise.all(running.splice(0).map(({ broker }) => broker.stop()));
		turnClock(WEEK);
		await start(recurring);
		await waits(4);
	});

	test("a recurring job that fails comes again at its next time", async () => {
		stopClock();
		const jobs = jobsOf(
			NODE,
			{
				sweep: {
					every: "0 4 * * *",
					async run({ at }) {
						if ((await noted(db)).length === 0) {
							await note(db, "failed", at);
							throw new Error("not today");
						}
						await note(db, "swept", at);
					},
				},
			},
			{ tries: 1 },
		);
		await start(jobs);
		await eventually(async () => assert.equal((await jobsState(db, NODE, new Date())).sweep?.waiting, 1));
		turnClock(24 * HOUR);
		await eventually(async () => assert.deepEqual((await jobsState(db, NODE, new Date())).sweep, { ...nothing, waiting: 1, failed: 1 }));
		turnClock(24 * HOUR);
		await doneIs("failed", "swept");
		const [, swept] = await db.query<{ at: string }>("select at from done order by id");
		assert.ok(swept);
	});

	test("a pattern that cannot be read, or never comes, stops the start", async () => {
		for (const every of ["99 * * * *", "0 0 30 2 *"] as const)
			await assert.rejects(start(jobsOf(NODE, { sweep: { every, run: () => {} } })), every);
	});
});

test("a job with lanes of its own that hangs holds up no other, and no other holds it up", async () => {
	const gate = Promise.withResolvers<void>();
	const jobs = jobsOf(
		NODE,
		{
			async write({ text }: { text: string }) {
				if (text === "hangs") await gate.promise;
				await note(db, text);
			},
			ask: {
				lanes: 2,
				async run({ text }: { text: string }) {
					if (text === "hangs, too") await gate.promise;
					await note(db, `asked ${text}`);
				},
			},
		},
		{ lanes: 1, lookEvery: 50 },
	);
	await start(jobs);
	const planned = (task: "write" | "ask", text: string) => db.tx((tx) => jobs.plan(tx, task, { text }));
	for (const _ of [1, 2, 3]) await planned("ask", "hangs, too");
	await eventually(async () => assert.equal((await jobsState(db, NODE, new Date())).ask?.running, 2));
	await planned("write", "now");
	await doneIs("now");
	// Looked at again and again, they are not taken for those of a process that is gone.
	const looks = (await db.query<{ at: string }>("select max(locked_at) as at from notes_jobs._private_jobs"))[0]?.at;
	await eventually(async () => {
		const [row] = await db.query("select 1 from notes_jobs._private_jobs having min(locked_at) > $1::timestamptz + interval '300 ms'", [
			looks,
		]);
		assert.ok(row);
	});
	assert.equal((await jobsState(db, NODE, new Date())).ask?.running, 2);
	gate.resolve();
	await doneIs("now", ...Array(3).fill("asked hangs, too"));
});

describe("stopping", () => {
	test("waits for the job that runs, and begins no other", async () => {
		const gate = Promise.withResolvers<void>();
		const jobs = jobsOf(
			NODE,
			{
				async write({ text }: { text: string }) {
					await gate.promise;
					await note(db, text);
				},
			},
			{ lanes: 1 },
		);
		const { broker } = await start(jobs);
		await plan("begun");
		await eventually(async () => assert.equal((await state())?.running, 1));
		await plan("not begun");
		running.length = 0;
		const stopped = broker.stop();
		await eventually(async () => {
			const [row] = await db.query("select 1 from pg_stat_activity where datname = current_database() and query like 'unlisten%'");
			assert.ok(row, "it has begun to stop");
		});
		gate.resolve();
		await stopped;
		assert.deepEqual(await noted(db), ["begun"]);
		assert.deepEqual(await state(), { ...nothing, due: 1 });
	});

	test("a job that does not end is told to, then left to be tried again", { timeout: 30_000 }, async () => {
		const jobs = jobsOf(
			NODE,
			{
				async write({ text }: { text: string }, { signal }) {
					if (text === "obeys")
						await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("told to end"))));
					await new Promise(() => {});
				},
			},
			{ patience: 400 },
		);
		const { broker } = await start(jobs);
		await plan("obeys");
		await plan("never ends");
		await eventually(async () => assert.equal((await state())?.running, 2));
		running.length = 0;
		await broker.stop();
		const { running: left, failed, waiting = 0, due = 0 } = (await state()) ?? {};
		assert.deepEqual([left, failed, waiting + due], [0, 0, 2]);
	});
});

test("a process has no connection of its own for jobs: the node's pool, and the one connection that listens", async () => {
	const connections = async () =>
		(
			await db.query<{ name: string; count: number }>(
				"select application_name as name, count(*)::int from pg_stat_activity where datname = current_database() and usename = $1 group by 1 order by 1",
				[NODE],
			)
		).map(({ name }) => name);
	await start(writing);
	await plan("one");
	await doneIs("one");
	assert.deepEqual(await connections(), [`reloop ${NODE}`, `reloop ${NODE} listen`]);
	const [listening] = await db.query<{ count: number }>(
		"select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = $1",
		[`reloop ${NODE} listen`],
	);
	assert.equal(listening?.count, 1);
});

test("a process that has stopped its broker and its databases ends by itself", { timeout: 30_000 }, async () => {
	const script = path.resolve(import.meta.dirname, "../support/jobs-child.ts");
	const child = spawn(process.execPath, [script, fresh.urlFor(NODE), "end"], {
		env: testEnvironment(),
		stdio: ["ignore", "ignore", "inherit"],
	});
	const [code] = await once(child, "exit");
	assert.equal(code, 0);
});

test("the installed graphile-worker expects no other tables than the nodes' migrations have made", async () => {
	const [newest] = await db.query("select max(id) as id from notes_jobs.migrations");
	// A later version has brought migrations of its own: they want a part of their own (`jobs-2`), named by a migration of each node with jobs. Then change this.
	assert.deepEqual(newest, { id: 20 });
});

test("the schema's way down leaves nothing, and up makes it again", async () => {
	const options = { ownerUrl: fresh.ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: services };
	const there = async () => (await db.query<{ there: boolean }>("select to_regnamespace('notes_jobs') is not null as there"))[0]?.there;
	assert.deepEqual(await migrateAll(options, "down"), ["notes/0001_notes"]);
	assert.equal(await there(), false);
	assert.deepEqual(await migrateAll(options, "up"), ["notes/0001_notes"]);
	assert.equal(await there(), true);
	await start(writing);
	await plan("again");
	await doneIs("again");
});
