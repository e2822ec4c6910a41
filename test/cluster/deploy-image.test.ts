// The image: no daemon builds it here, so the Dockerfile is read, what it copies is laid out, and its commands are run as its user.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { needs, postgresServer, type Server, unusedPort } from "../support/servers.ts";
import { all, copyPackages, environmentOf, execForm, one, reachesBuilder, readDockerfile, type Stage } from "./support/dockerfile.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const stages = readDockerfile(fs.readFileSync(path.join(ROOT, "Dockerfile"), "utf8"));
const ignore = fs.readFileSync(path.join(ROOT, ".dockerignore"), "utf8");
const image = stages.at(-1) as Stage;

/** [from, to] of each COPY that takes files of the project. */
const copies = (stage: Stage): [string, string][] =>
	all(stage, "COPY")
		.filter((text) => !text.startsWith("--from="))
		.flatMap((text) => {
			const words = text.split(/\s+/);
			const to = words.at(-1) as string;
			return words.slice(0, -1).map((from): [string, string] => [from, to.endsWith("/") ? path.posix.join(to, from) : to]);
		});

describe("the Dockerfile", () => {
	test("begins each stage with the Node that we need, and takes packages from a stage before", () => {
		const { engines } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8"));
		assert.ok(engines.node);
		for (const stage of stages) assert.match(stage.image, /^node:24-[a-z]+-slim$/);
		const taken = all(image, "COPY").filter((text) => text.startsWith("--from="));
		assert.deepEqual(taken, ["--from=packages /app/node_modules ./node_modules"]);
		assert.ok(stages.some((stage) => stage.name === "packages" && all(stage, "RUN").some((text) => /^npm ci .*--omit=dev/.test(text))));
	});

	test("runs as a user who is not root, with commands that no shell stands before", () => {
		const [uid] = one(image, "USER").split(":");
		assert.ok(Number(uid) > 0, "by its number, so that Kubernetes can see that it is not root");
		assert.equal(execForm(one(image, "CMD"))[0], "node");
		assert.equal(one(image, "STOPSIGNAL"), "SIGTERM");
		const [, command = ""] = /CMD (.*)$/.exec(one(image, "HEALTHCHECK")) ?? [];
		assert.deepEqual(execForm(command), ["node", "config/live.ts"]);
	});

	test("copies what is there and what .dockerignore lets through, and no secret, test or data", () => {
		for (const stage of stages) {
			for (const [from] of copies(stage)) {
				assert.ok(fs.existsSync(path.join(ROOT, from)), from);
				assert.ok(reachesBuilder(ignore, from), `${from} does not reach the builder`);
			}
			for (const text of [...all(stage, "ENV"), ...all(stage, "ARG")]) assert.doesNotMatch(text, /SECRET|PASSWORD|TOKEN|_URL/);
		}
		for (const file of [".env", ".git/config", ".data/secret.key", "node_modules/pg/package.json", "test/support/app.ts", "k8s/README.md"])
			assert.ok(!reachesBuilder(ignore, file), `${file} reaches the builder`);
	});
});

describe("what the image holds", { skip: needs("postgres", "initdb") }, () => {
	let server: Server;
	let stage: string;
	let data: string;
	let program: string;
	const [uid = 0, gid = 0] = one(image, "USER").split(":").map(Number);
	const identity = process.getuid?.() === 0 ? { uid, gid } : {};

	before(async () => {
		server = await postgresServer();
		const home = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-image-"));
		fs.chmodSync(home, 0o755);
		stage = path.join(home, "app");
		data = path.join(home, "data");
		program = path.join(home, "node");
		fs.copyFileSync(process.execPath, program);
		fs.mkdirSync(data);
		if (identity.uid) fs.chownSync(data, uid, gid);
		for (const [from, to] of copies(image))
			fs.cpSync(path.join(ROOT, from), path.join(stage, to), {
				recursive: true,
				filter: (source) =>
					source === path.join(ROOT, from) || fs.statSync(source).isDirectory() || reachesBuilder(ignore, path.relative(ROOT, source)),
			});
		copyPackages(ROOT, stage, stages.find(({ name }) => name === "packages") as Stage);
		lock(stage);
	});
	after(async () => {
		unlock(stage);
		fs.rmSync(path.dirname(stage), { recursive: true });
		await server.stop();
	});

	/** Nothing that a test opens is open to others, and nobody else's port is in its way. */
	const loopback = { HOST: "127.0.0.1", METRICS_HOST: "127.0.0.1", METRICS_PORT: "0" };

	/** Runs a command of the image as a container would: as its user, in its folder, with its variables and nothing else. */
	function run([first, ...args]: string[], variables: Record<string, string>) {
		assert.equal(first, "node");
		const child = spawn(program, args, {
			cwd: stage,
			env: { ...environmentOf(image), DATA_DIR: data, ...loopback, ...variables },
			...identity,
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr])
			stream.on("data", (chunk) => {
				output += chunk;
			});
		return { child, output: () => output, ended: once(child, "close").then(([code, signal]) => code ?? signal) };
	}

	test("migrates, starts, is found alive, and drains at SIGTERM, with nothing written beside its data", { timeout: 120_000 }, async () => {
		const variables = { DATABASE_URL: server.url, SECRET_KEY: TEST_SECRET_KEY, PORT: String(await unusedPort()) };
		const health = execForm(/CMD (.*)$/.exec(one(image, "HEALTHCHECK"))?.[1] ?? "");
		assert.equal(await run(health, variables).ended, 1, "nothing lives there yet");

		const command = execForm(one(image, "CMD"));
		const migration = run([...command.slice(0, -1), "config/migrate.ts", "up"], variables);
		assert.equal(await migration.ended, 0, migration.output());

		const running = run(command, variables);
		await eventually(() => assert.match(running.output(), /"msg":"Reloop is ready\./), 30_000);
		assert.equal(await run(health, variables).ended, 0);
		assert.equal((await fetch(`http://127.0.0.1:${variables.PORT}/ready`)).status, 200);
		const began = performance.now();
		running.child.kill("SIGTERM");
		assert.equal(await running.ended, 0, running.output());
		assert.ok(performance.now() - began < 10_000);
	});

	test("goes at SIGTERM while it still waits for its servers", async () => {
		const nowhere = `postgres://postgres:5432@127.0.0.1:${await unusedPort()}/reloop`;
		const waiting = run(execForm(one(image, "CMD")), { DATABASE_URL: nowhere, SECRET_KEY: TEST_SECRET_KEY });
		await eventually(() => assert.match(waiting.output(), /^DATABASE_URL: .* Waiting\.$/m), 10_000);
		waiting.child.kill("SIGTERM");
		assert.equal(await waiting.ended, 143, "by a handler: to the first process of a container a signal without one does nothing");
	});

	test("ends with one sentence and 1 where a variable is missing", async () => {
		const refused = run(execForm(one(image, "CMD")), { DATABASE_URL: server.url });
		assert.equal(await refused.ended, 1);
		assert.match(refused.output(), /^SECRET_KEY is required .*\n$/);
	});
});

/** As a read-only file system: nobody may write, whoever runs. */
function lock(folder: string): void {
	for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true }))
		if (!entry.isSymbolicLink()) fs.chmodSync(path.join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
	fs.chmodSync(folder, 0o555);
}

function unlock(folder: string): void {
	fs.chmodSync(folder, 0o755);
	for (const entry of fs.readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) unlock(path.join(folder, entry.name));
}
