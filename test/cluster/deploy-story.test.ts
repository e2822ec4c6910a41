// What docker-compose.yml says, lived through on this machine: its containers' variables and commands, on real servers that come too
// late, as in Kubernetes, where everything starts at once. Then two people talk.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { systemEnvironment } from "../../config/env.ts";
import { connect, listen, person, say } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { mongoServer, natsServer, needs, postgresServer, redisServer, unusedPort } from "../support/servers.ts";
import { Member } from "./support/cluster.ts";
import { NODES, run, start } from "./support/deployment.ts";

type Variables = Record<string, string>;

describe("the whole of docker-compose.yml", {
	skip: needs("docker-compose-v2", "nats-server", "redis-server", "postgres", "initdb", "mongod"),
	timeout: 180_000,
}, () => {
	let servers: Record<"nats" | "redis" | "postgres" | "mongo", Server>;
	let state: string;
	let environments: Record<string, Variables>;
	let migration: string[];
	const members = new Map<string, Member>();

	before(async () => {
		const { services } = JSON.parse(run("docker-compose-v2", ["-f", "docker-compose.yml", "config", "--format", "json"]).out) as {
			services: Record<string, { environment?: Variables; command: string[] | null }>;
		};
		const [nats, redis, postgres, mongo] = await Promise.all([natsServer(), redisServer(), postgresServer(), mongoServer()]);
		servers = { nats, redis, postgres, mongo };
		state = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-compose-"));
		migration = services.migrate?.command ?? [];
		environments = Object.fromEntries(
			Object.entries(services).map(([name, { environment = {} }]) => [
				name,
				{ ...systemEnvironment(), ...here(environment), HOST: "127.0.0.1", DATA_DIR: state },
			]),
		);
		for (const node of NODES) members.set(node, new Member([node], await unusedPort(), environments[node] as Variables));
	});
	after(async () => {
		await Promise.all([...members.values()].map((member) => member.end("SIGKILL")));
		await Promise.all(Object.values(servers ?? {}).map((server) => server.stop()));
		fs.rmSync(state, { recursive: true, force: true });
	});

	/** The names of containers are those of the servers of this test. */
	function here(variables: Variables): Variables {
		const owner = new URL(servers.postgres.url);
		const changed = { ...variables };
		if (changed.NATS_URL) changed.NATS_URL = servers.nats.url;
		if (changed.REDIS_URL) changed.REDIS_URL = servers.redis.url;
		if (changed.MONGO_URL) changed.MONGO_URL = servers.mongo.url;
		const database = new URL(changed.DATABASE_URL ?? servers.postgres.url);
		const login = database.username ? { username: owner.username, password: owner.password } : {};
		changed.DATABASE_URL = Object.assign(database, { host: owner.host, pathname: owner.pathname }, login).href;
		return changed;
	}

	test("comes up although servers and migration come last, and every process is ready", async () => {
		await Promise.all(Object.values(servers).map((server) => server.stop()));
		const ready = Promise.all([...members.values()].map((member) => member.start()));
		// Heard where it is awaited.
		ready.catch(() => {});
		for (const member of members.values()) await eventually(() => assert.match(member.output, /waiting/i, member.name), 20_000);
		await Promise.all(Object.values(servers).map((server) => server.start()));
		const migrated = await start(migration, environments.migrate as Variables);
		assert.equal(migrated.code, 0, migrated.output);
		await ready;
		for (const { url, name } of members.values())
			await eventually(async () => assert.equal((await fetch(`${url}/ready`)).status, 200, name), 10_000);
	});

	test("two people talk through it, and are paid", async () => {
		const [api, door] = [members.get("api")?.url ?? "", members.get("socket")?.url ?? ""];
		const [ana, ben] = await Promise.all([person(api, "Ana"), person(api, "Ben")]);
		const groupId: string = (await ana.post("/api/groups", { name: "Repair café", isPublic: true })).body.id;
		assert.equal((await ben.post(`/api/groups/${groupId}/join`)).status, 200);
		const socket = await connect(door, ben.accessToken);
		await say(socket, "group:join", { groupId });
		const heard = listen(socket, `group:${groupId}`);
		const own = listen(socket, `profile:${ben.profileId}`);
		const { body } = await ana.post(`/api/groups/${groupId}/messages`, { clientId: "a-1", kind: "text", content: "Who can mend a zip?" });
		const answer = await say(socket, "message:send", { groupId, clientId: "b-1", kind: "text", content: "I can." });
		assert.equal(answer.seq, body.seq + 1);
		await eventually(() =>
			assert.deepEqual(
				heard.filter(({ type }) => type === "message").map(({ seq }) => seq),
				[body.seq, answer.seq],
			),
		);
		await eventually(() => assert.ok(own.some(({ type }) => type === "xp")), 10_000);
		socket.disconnect();
	});

	test("ends at SIGTERM, each process by itself and with 0", async () => {
		const codes = await Promise.all([...members.values()].map((member) => member.end("SIGTERM")));
		assert.deepEqual(
			codes,
			NODES.map(() => 0),
		);
	});
});
