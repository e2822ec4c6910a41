// How a process of a cluster starts where something is wrong: one clear sentence that names the variable, and patience with
// servers that come later.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemEnvironment } from "../../config/env.ts";
import { connectToNats } from "../../mixins/nats.ts";
import type { FreshDatabase } from "../support/database.ts";
import { freshDatabase, TEST_SECRET_KEY } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { natsServer, needs, redisServer, unusedPort } from "../support/servers.ts";

const ROOT = join(import.meta.dirname, "..", "..");

describe("a process of a cluster", { skip: needs("nats-server", "redis-server", "openssl"), timeout: 120_000 }, () => {
	let folder: string;
	let database: FreshDatabase;
	let redis: Server;

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), "reloop-start-"));
		[database, redis] = await Promise.all([freshDatabase(), redisServer()]);
	});
	after(async () => {
		await database?.close();
		await redis?.stop();
		rmSync(folder, { recursive: true, force: true });
	});

	async function start(environment: Record<string, string>) {
		const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"], {
			cwd: ROOT,
			env: {
				...systemEnvironment(),
				DATA_DIR: folder,
				NODES: "identity",
				PORT: String(await unusedPort()),
				SECRET_KEY: TEST_SECRET_KEY,
				DATABASE_URL: database.ownerUrl,
				REDIS_URL: redis.url,
				LOG_LEVEL: "warn",
				...environment,
			},
			stdio: ["ignore", "pipe", "pipe"],
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
		const ended = once(child, "exit") as Promise<[number | null]>;
		return {
			output: () => output,
			exitCode: async () => (await ended)[0],
			ready: () => eventually(() => assert.match(output, /Reloop is ready/), 30_000),
			async stop() {
				child.kill("SIGTERM");
				return (await ended)[0];
			},
		};
	}

	test("ends at once where NATS refuses its login, and names NATS_URL, not the password", async () => {
		const nats = await natsServer({ config: "authorization { user: reloop, password: right }" });
		const url = new URL(nats.url);
		const wrong = await start({ NATS_URL: `nats://reloop:hunter2@${url.host}` });
		assert.equal(await wrong.exitCode(), 1);
		assert.match(wrong.output(), /^NATS_URL: the server refuses this login/m);
		assert.equal(wrong.output().includes("hunter2"), false);

		const right = await start({ NATS_URL: `nats://reloop:right@${url.host}` });
		await right.ready();
		assert.equal(await right.stop(), 0);
		await nats.stop();
	});

	test("ends at once where Redis refuses its login, and names REDIS_URL", async () => {
		const [nats, locked] = await Promise.all([natsServer(), redisServer({ password: "right" })]);
		const wrong = await start({ NATS_URL: nats.url, REDIS_URL: `redis://:hunter2@${new URL(locked.url).host}` });
		assert.equal(await wrong.exitCode(), 1);
		assert.match(wrong.output(), /^Redis refuses the user or password that REDIS_URL names/m);
		assert.equal(wrong.output().includes("hunter2"), false);
		await Promise.all([nats.stop(), locked.stop()]);
	});

	test("waits for a NATS that comes later, as a start order in Kubernetes needs, and says what it waits for", async () => {
		const nats = await natsServer();
		await nats.stop();
		const early = await start({ NATS_URL: nats.url });
		await eventually(() => assert.match(early.output(), /NATS_URL: no server answers yet/), 30_000);
		await nats.start();
		await early.ready();
		assert.equal(await early.stop(), 0);
		await nats.stop();
	});

	test("gives up with one sentence where NATS never comes", async () => {
		const port = await unusedPort();
		const said: string[] = [];
		const env = { NATS_URL: [`nats://127.0.0.1:${port}`] } as Parameters<typeof connectToNats>[0];
		await assert.rejects(
			connectToNats(env, "test", 700, (sentence) => said.push(sentence)),
			(error: Error & { sentence?: boolean }) => error.sentence === true && /^NATS_URL: no server answers/.test(error.message),
		);
		assert.equal(said.length, 1);
	});

	test("gives up with one sentence where NATS has no JetStream, which carries the facts", async () => {
		const nats = await natsServer({ jetstream: false });
		const env = { NATS_URL: [nats.url] } as Parameters<typeof connectToNats>[0];
		await assert.rejects(
			connectToNats(env, "test", 700, () => {}),
			(error: Error & { sentence?: boolean }) => error.sentence === true && /^NATS_URL: this NATS has no JetStream/.test(error.message),
		);
		await nats.stop();
	});

	test("speaks TLS by URL and files, and refuses a server that its authority does not know", async () => {
		const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
		openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA");
		openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "no.key", "-out", "no.pem", "-days", "2", "-subj", "/CN=Other CA");
		const signed = (name: string) => {
			openssl(
				"req",
				"-newkey",
				"rsa:2048",
				"-nodes",
				"-keyout",
				`${name}.key`,
				"-out",
				`${name}.csr`,
				"-subj",
				`/CN=${name}`,
				"-addext",
				"subjectAltName=DNS:localhost",
			);
			openssl(
				"x509",
				"-req",
				"-in",
				`${name}.csr`,
				"-CA",
				"ca.pem",
				"-CAkey",
				"ca.key",
				"-CAcreateserial",
				"-out",
				`${name}.pem`,
				"-days",
				"2",
				"-copy_extensions",
				"copy",
			);
		};
		signed("server");
		signed("client");
		const file = (name: string) => join(folder, name);
		const nats = await natsServer({
			config: `tls { cert_file: "${file("server.pem")}", key_file: "${file("server.key")}", ca_file: "${file("ca.pem")}", verify: true }`,
		});
		const NATS_URL = `tls://localhost:${nats.port}`;
		const client = { NATS_URL, NATS_TLS_CA: file("ca.pem"), NATS_TLS_CERT: file("client.pem"), NATS_TLS_KEY: file("client.key") };
		const right = await start(client);
		await right.ready();
		assert.equal(await right.stop(), 0);

		const stranger = await start({ ...client, NATS_TLS_CA: file("no.pem") });
		assert.equal(await stranger.exitCode(), 1);
		assert.match(stranger.output(), /^NATS_URL: .*certificate/m);
		const unreadable = await start({ ...client, NATS_TLS_CA: file("missing.pem") });
		assert.equal(await unreadable.exitCode(), 1);
		assert.match(unreadable.output(), /^NATS_TLS_CA names a file that cannot be read/m);
		await nats.stop();
	});
});
