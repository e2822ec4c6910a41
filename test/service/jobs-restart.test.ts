// The database goes away under the jobs: they wait, say so once, and go on when it is back.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { migrateAll } from "../../config/migrations.ts";
import { derivedLogin } from "../../config/roles.ts";
import { jobsOf } from "../../mixins/jobs/index.ts";
import { jobsState } from "../../mixins/jobs/state.ts";
import { closeDatabases, configureDatabases, database } from "../../mixins/postgres.ts";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { NODE, note, noted, notesServices, startProcess } from "../support/jobs.ts";
import { type OwnServer, startOwnServer } from "../support/own-server.ts";

const services = notesServices();
let home: string;
let server: OwnServer;

before(async () => {
	home = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-jobs-"));
	fs.chmodSync(home, 0o755);
	server = await startOwnServer(home);
	await migrateAll({ ownerUrl: server.ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: services }, "up");
	const urlFor = (node: string) => {
		const { user, password } = derivedLogin(node, TEST_SECRET_KEY);
		return Object.assign(new URL(server.ownerUrl), { username: user, password }).href;
	};
	configureDatabases({ urlFor, directUrlFor: urlFor, report: () => {} });
});
after(async () => {
	await closeDatabases();
	await server?.stop();
	fs.rmSync(home, { recursive: true, force: true });
	fs.rmSync(services, { recursive: true });
});

const waits = (lines: string[]) => lines.filter((line) => line.includes("jobs wait"));

test("a database that is away at the start, and again in the middle of a job, is waited for", { timeout: 60_000 }, async () => {
	const db = database(NODE);
	const gate = Promise.withResolvers<void>();
	let begun = 0;
	const jobs = jobsOf(NODE, {
		async write({ text }: { text: string }) {
			begun++;
			if (text === "during") await gate.promise;
			else await note(db, text);
		},
	});
	await db.tx((tx) => jobs.plan(tx, "write", { text: "before" }));
	await server.stop();
	const { broker, lines } = await startProcess(jobs);
	try {
		await eventually(() => assert.equal(waits(lines).length, 1));
		server = await startOwnServer(home);
		await eventually(async () => assert.deepEqual(await noted(db), ["before"]));

		await eventually(() => db.tx((tx) => jobs.plan(tx, "write", { text: "during" })));
		await eventually(() => assert.equal(begun, 2));
		await server.stop();
		gate.resolve();
		await eventually(() => assert.equal(waits(lines).length, 2));
		server = await startOwnServer(home);
		// What it could not note, it notes now: the job is over, and was done once.
		await eventually(async () => assert.deepEqual(await jobsState(db, NODE, new Date()), {}));
		assert.equal(begun, 2);
		await db.tx((tx) => jobs.plan(tx, "write", { text: "after" }));
		await eventually(async () => assert.deepEqual(await noted(db), ["before", "after"]));
		assert.equal(waits(lines).length, 2, lines.join("\n"));
	} finally {
		await broker.stop();
	}
});

test("while the database is away a process stops all the same", { timeout: 60_000 }, async () => {
	const gate = Promise.withResolvers<void>();
	let begun = 0;
	const jobs = jobsOf(NODE, {
		async write(_: object) {
			begun++;
			await gate.promise;
		},
	});
	const { broker } = await startProcess(jobs);
	await eventually(() => database(NODE).tx((tx) => jobs.plan(tx, "write", {})));
	await eventually(() => assert.equal(begun, 1));
	await server.stop();
	gate.resolve();
	await broker.stop();
	server = await startOwnServer(home);
});
