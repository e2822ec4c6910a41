// `npm run cluster` as somebody types it: many processes on this machine that are one Reloop, looked after, and gone at its end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { planFor } from "../../config/cluster/plan.ts";
import type { ClusterRecord } from "../../config/cluster/record.ts";
import { nodeFolders } from "../../config/env.ts";
import { testEnvironment } from "../support/environment.ts";
import { isAlive } from "../../config/lock-file.ts";
import { connect, http, listen, person, say } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { dataDirectory } from "../support/process.ts";
import { needs } from "../support/servers.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const PORTS = [0, 1, 10, 11, 20, 21, 22, 23, 24, 25];

/** A port from which on all that a cluster listens on is free. */
async function freeBase(): Promise<number> {
	for (;;) {
		const base = 20_000 + Math.floor(Math.random() * 10_000);
		const free = await Promise.all(PORTS.map((offset) => isFree(base + offset)));
		if (free.every(Boolean)) return base;
	}
}

function isFree(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer();
		probe.once("error", () => resolve(false));
		probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
	});
}

describe("npm run cluster", { skip: needs("nats-server", "redis-server"), timeout: 180_000 }, () => {
	let data: Awaited<ReturnType<typeof dataDirectory>>;
	let port: number;
	let npm: ChildProcess;
	let output = "";
	/** Whoever wrote to our pipes has ended: npm may end before the cluster does. */
	let closed = false;
	const environment = () => ({
		...testEnvironment(),
		HOME: data.path,
		DATA_DIR: data.path,
		PORT: String(port),
		RATE_LIMIT_FACTOR: "1000",
		LOG_LEVEL: "warn",
	});
	const record = async () => JSON.parse(await readFile(join(data.path, "cluster.json"), "utf8")) as ClusterRecord;
	const member = async (name: string) => {
		const found = (await record()).processes.find((one) => one.name === name);
		assert.ok(found, name);
		return found;
	};

	before(async () => {
		data = await dataDirectory();
		port = await freeBase();
		npm = spawn("npm", ["run", "cluster"], { cwd: ROOT, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
		const hear = (chunk: Buffer) => {
			output += chunk;
		};
		npm.stdout?.on("data", hear);
		npm.stderr?.on("data", hear);
		npm.once("close", () => {
			closed = true;
		});
		await eventually(() => assert.ok(closed || /Reloop is ready at/.test(output)), 90_000);
		assert.equal(closed, false, output);
	});
	after(async () => {
		if (!closed) {
			npm.kill("SIGTERM");
			await eventually(() => assert.ok(closed), 30_000);
		}
		await data.remove();
	});

	async function admin(...args: string[]) {
		const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/admin.ts", ...args], {
			cwd: ROOT,
			env: environment(),
		});
		let out = "";
		let err = "";
		child.stdout.on("data", (chunk) => {
			out += chunk;
		});
		child.stderr.on("data", (chunk) => {
			err += chunk;
		});
		const [code] = (await once(child, "close")) as [number];
		return { code, out, err };
	}

	test("says line by line how each process comes up, and at last where it is ready", () => {
		for (const { name } of planFor({ NODES: nodeFolders(), PORT: port }, undefined)) {
			assert.match(output, new RegExp(`^${name} +ready +pid \\d+ +http://localhost:\\d+$`, "m"));
		}
		assert.ok(output.trimEnd().endsWith(`Reloop is ready at http://localhost:${port}`), output);
	});

	test("lists all of it in cluster.json, which its owner alone may read and which has no password of the database", async () => {
		const { nats, redis, database, processes, url } = await record();
		assert.deepEqual(
			processes.map(({ port: at }) => at - port).sort((a, b) => a - b),
			PORTS,
		);
		assert.equal(url, `http://localhost:${port}`);
		for (const { pid } of [nats, redis, database, ...processes]) assert.ok(pid && isAlive(pid));
		assert.equal(new URL(database.url).password, "");
		if (process.platform !== "win32") assert.equal((await stat(join(data.path, "cluster.json"))).mode & 0o077, 0);
	});

	test("has every process answer for its health", async () => {
		for (const { url, node } of (await record()).processes) {
			assert.equal((await http(url, "/live")).status, 200);
			const { status, body } = await http(url, "/ready");
			assert.deepEqual([status, body.status], [200, "ok"]);
			assert.deepEqual(
				[body.checks[node], body.checks.transport, body.checks.redis],
				[{ status: "ok" }, { status: "ok" }, { status: "ok" }],
			);
		}
	});

	test("is one Reloop: a message goes through two doors to two gateways, and its XP is counted", async () => {
		const [one, two] = [(await member("api-1")).url, (await member("api-2")).url];
		const [ana, ben] = [await person(one, "Ana"), await person(two, "Ben")];
		const { body: group } = await ana.post("/api/groups", { name: "Menders", isPublic: true });
		await ben.post(`/api/groups/${group.id}/join`);
		const hers = await connect((await member("socket-1")).url, ana.accessToken);
		const his = await connect((await member("socket-2")).url, ben.accessToken);
		const room = `group:${group.id}`;
		const heard = [listen(hers, room), listen(his, room)];
		await say(hers, "group:join", { groupId: group.id });
		await say(his, "group:join", { groupId: group.id });
		const sent = await say(his, "message:send", { groupId: group.id, clientId: "b-1", kind: "text", content: "The lamp works again." });
		await eventually(() => {
			for (const events of heard)
				assert.deepEqual([events.at(-1)?.seq, events.at(-1)?.message.content], [sent.seq, "The lamp works again."]);
		});
		await eventually(async () => assert.equal((await ben.get("/api/gamification/points/me")).body.xp > 0, true));

		const { rooms } = JSON.parse((await admin("rooms", "--json")).out);
		const listed = rooms.find((row: { room: string }) => row.room === room);
		assert.deepEqual([listed.sockets, listed.processes.length], [2, 2]);
		// An owner keeps what it reads once nobody of its kind has come or gone for a while.
		await eventually(async () => {
			assert.equal((await ana.get(`/api/groups/${group.id}`)).status, 200);
			const actor = JSON.parse((await admin("actors", group.id, "--json")).out);
			assert.ok(actor.held.some(({ nodeId, head }: { nodeId: string; head: number }) => nodeId === actor.owner && head === sent.seq));
		}, 20_000);
		hers.close();
		his.close();
	});

	test("is found by operators' tools: nodes, status, and an account made by one of its processes", async () => {
		const nodes = JSON.parse((await admin("nodes", "--json")).out);
		assert.deepEqual(nodes.map(({ name }: { name: string }) => name).sort(), (await record()).processes.map(({ name }) => name).sort());
		const status = JSON.parse((await admin("status", "--json")).out);
		assert.deepEqual([status.processes.length, status.deadLetters, status.nodes.groups.database], [PORTS.length, 0, "ok"]);
		const made = await admin("create", "boss@example.org", "--json");
		assert.equal(JSON.parse(made.out).email, "boss@example.org");
		assert.equal(JSON.parse((await admin("user", "boss@example.org", "--json")).out).role, "admin");
	});

	test("is not started a second time with the same data", async () => {
		const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/cluster.ts"], {
			cwd: ROOT,
			env: environment(),
		});
		let err = "";
		child.stderr.on("data", (chunk) => {
			err += chunk;
		});
		const [code] = (await once(child, "close")) as [number];
		assert.equal(code, 1);
		assert.match(err, /^A cluster runs already in .*: process \d+, at http:\/\/localhost:\d+\.\n$/);
	});

	test("starts again what was killed, and what was told to leave", async () => {
		const killed = await member("groups-1");
		process.kill(killed.pid as number, "SIGKILL");
		await eventually(async () => {
			const now = await member("groups-1");
			assert.deepEqual([now.state, now.restarts, now.pid !== killed.pid], ["ready", 1, true]);
		}, 30_000);
		const drained = await member("presence-1");
		assert.equal((await admin("drain", "presence-1")).code, 0);
		await eventually(async () => {
			const now = await member("presence-1");
			assert.deepEqual([now.state, now.pid !== drained.pid], ["ready", true]);
		}, 30_000);
		assert.match(output, /^groups-1 +ended \(SIGKILL\)/m);
		assert.match(output, /^presence-1 +ended \(code 0\)/m);
	});

	test("starts its servers again too: red without NATS, degraded without Redis, and well again", async () => {
		const { nats, redis } = await record();
		const { url } = await member("groups-2");
		const ready = async () => (await http(url, "/ready")).body;
		process.kill(nats.pid as number, "SIGKILL");
		await eventually(async () => assert.deepEqual((await ready()).checks.transport, { status: "down" }));
		await eventually(async () => assert.equal((await ready()).status, "ok"), 30_000);
		process.kill(redis.pid as number, "SIGKILL");
		await eventually(async () =>
			assert.deepEqual([(await ready()).status, (await ready()).checks.redis], ["degraded", { status: "degraded" }]),
		);
		await eventually(async () => assert.equal((await ready()).status, "ok"), 30_000);
	});

	test("drains at SIGTERM, doors first, and leaves no process behind", async () => {
		const { nats, redis, database, processes, pid } = await record();
		const all = [pid, nats.pid, redis.pid, database.pid, ...processes.map((one) => one.pid)];
		npm.kill("SIGTERM");
		await eventually(() => assert.ok(closed), 30_000);
		await eventually(() =>
			assert.deepEqual(
				all.filter((one) => one === null || isAlive(one)),
				[],
			),
		);
		const order = [...output.slice(output.indexOf("Draining")).matchAll(/^(\S+) +ended \((.*?)\)/gm)].map(([, name = "", how]) => ({
			name,
			how,
		}));
		assert.deepEqual(
			order.filter(({ how }) => how !== "code 0"),
			[],
		);
		const doors = order.slice(0, 4).map(({ name }) => name.split("-")[0]);
		assert.deepEqual(doors.sort(), ["api", "api", "socket", "socket"]);
		assert.deepEqual(
			order
				.slice(-2)
				.map(({ name }) => name)
				.sort(),
			["nats", "redis"],
		);
		await assert.rejects(record(), "cluster.json tells of no cluster that is gone");
	});
});
