// What a start says of a database that cannot be used, and what it waits for: the sentence names the variable and no password.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, test } from "node:test";
import pg from "pg";
import { openDatabases, openMigratedDatabases } from "../../config/databases.ts";
import { type Env, readEnv } from "../../config/env.ts";
import { startApp } from "../../config/app.ts";
import { migrateAll, nodesWithMigrations } from "../../config/migrations.ts";
import { type FreshDatabase, freshDatabase, TEST_SECRET_KEY } from "../support/database.ts";

const cluster = { NATS_URL: "nats://127.0.0.1:4222", REDIS_URL: "redis://127.0.0.1:6379" };
const env = (variables: Record<string, string>): Env =>
	readEnv({ NODE_ENV: "test", DATA_DIR: "/nonexistent", SECRET_KEY: TEST_SECRET_KEY, ...variables });

let migrated: FreshDatabase;
let empty: FreshDatabase;
before(async () => {
	migrated = await freshDatabase();
	empty = await freshDatabase([]);
});
after(async () => {
	await migrated?.close();
	await empty?.close();
});

const change = (url: string, parts: Partial<URL>) => Object.assign(new URL(url), parts).href;

/** The sentence with which a start ends, how long it took (ms), and what was said on the way. */
async function refused(variables: Record<string, string>, patienceMs = 300) {
	const said: string[] = [];
	const began = performance.now();
	const sentence = await openMigratedDatabases(env(variables), (line) => said.push(line), { patienceMs }).then(
		async (databases) => {
			await databases.stop();
			return "It started.";
		},
		(error: Error & { sentence?: boolean }) => {
			assert.equal(error.sentence, true, error.stack);
			return error.message;
		},
	);
	return { sentence, said, ms: performance.now() - began };
}

/** A port of our own on which nobody listens any more. */
async function closedPort(): Promise<string> {
	const probe = net.createServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const { port } = probe.address() as net.AddressInfo;
	probe.close();
	await once(probe, "close");
	return String(port);
}

test("a wrong password ends the start at once, by the variable's name and without the password", async () => {
	const wrong = change(migrated.ownerUrl, { password: "guessed-it" });
	for (const [variable, variables] of Object.entries<Record<string, string>>({
		DATABASE_URL: { DATABASE_URL: wrong },
		DATABASE_DIRECT_URL: { DATABASE_URL: migrated.ownerUrl, DATABASE_DIRECT_URL: wrong },
		DATABASE_URL_GROUPS: { DATABASE_URL: empty.ownerUrl, DATABASE_URL_GROUPS: wrong },
	})) {
		const { sentence, ms } = await refused(variables, 30_000);
		assert.match(sentence, new RegExp(`^${variable}: the database at 127\\.0\\.0\\.1:\\d+ refuses the user `));
		assert.doesNotMatch(sentence, /guessed-it/);
		assert.ok(ms < 10_000, "nothing is waited for");
	}
});

test("a database that does not exist ends the start at once", async () => {
	const { sentence } = await refused({ DATABASE_URL: change(migrated.ownerUrl, { pathname: "/nowhere" }) }, 30_000);
	assert.match(sentence, /^DATABASE_URL: at 127\.0\.0\.1:\d+ there is no database nowhere\.$/);
});

test("a server that does not answer is waited for, said once, and given up with a sentence", async () => {
	const port = await closedPort();
	const { sentence, said, ms } = await refused({ DATABASE_URL: change(migrated.ownerUrl, { port }) });
	assert.match(
		sentence,
		new RegExp(`^DATABASE_URL: the database at 127\\.0\\.0\\.1:${port} does not answer \\(.*ECONNREFUSED.*\\)\\. Waited`),
	);
	assert.equal(said.length, 1);
	assert.match(said[0] ?? "", /^DATABASE_URL: .* Waiting\.$/);
	assert.ok(ms >= 100);
});

test("a server that comes a little later is enough", async () => {
	const port = await closedPort();
	const target = new URL(migrated.ownerUrl);
	const doors = new Set<net.Socket>();
	const forward = net.createServer((socket) => {
		const behind = net.connect(Number(target.port), target.hostname);
		for (const end of [socket, behind]) doors.add(end.on("error", () => {}));
		socket.pipe(behind).pipe(socket);
	});
	const opening = openDatabases(env({ DATABASE_URL: change(migrated.ownerUrl, { port }) }), () => {
		forward.listen(Number(port), "127.0.0.1");
	});
	const databases = await opening;
	await databases.stop();
	forward.close();
	for (const socket of doors) socket.destroy();
});

test("a pooler that leads nowhere is found at the start, not at the first request", async () => {
	const port = await closedPort();
	const { sentence } = await refused({ DATABASE_URL: change(migrated.ownerUrl, { port }), DATABASE_DIRECT_URL: migrated.ownerUrl });
	assert.match(sentence, new RegExp(`^DATABASE_URL: the database at 127\\.0\\.0\\.1:${port} does not answer`));
});

test("one of a cluster does not migrate in production, nor without the owner's login: it waits for who does", async () => {
	const node = nodesWithMigrations()[0] as string;
	const fresh = await freshDatabase([]);
	try {
		const variables = { ...cluster, DATABASE_URL: fresh.ownerUrl, NODES: node, NODE_ENV: "production", RATE_LIMIT_FACTOR: "1" };
		const { sentence, said } = await refused(variables);
		assert.match(sentence, new RegExp(`The schema of ${node} lacks .*, 0001_.*migrate -- up.* Waited`));
		assert.equal(said.length, 1);
		const migrations = { ownerUrl: fresh.ownerUrl, secretKey: TEST_SECRET_KEY };
		const databases = await openMigratedDatabases(env(variables), () => void migrateAll(migrations, "up").catch(() => {}));
		await databases.stop();
	} finally {
		await fresh.close();
	}
});

test("one of a cluster that was given the owner's login on a developer's machine migrates, also when several start at once", async () => {
	const fresh = await freshDatabase([]);
	try {
		const variables = { ...cluster, DATABASE_URL: fresh.ownerUrl };
		const started = await Promise.all([1, 2, 3].map(() => refused(variables)));
		assert.deepEqual(
			started.map(({ sentence }) => sentence),
			["It started.", "It started.", "It started."],
		);
	} finally {
		await fresh.close();
	}
});

test("one of a cluster needs no owner's login, and a SECRET_KEY that is not the migration's is said so", async () => {
	const common = { ...cluster, DATABASE_URL: change(migrated.ownerUrl, { username: "", password: "" }) };
	assert.equal((await refused(common)).sentence, "It started.");
	const { sentence } = await refused({ ...common, SECRET_KEY: Buffer.alloc(32, 9).toString("base64") });
	assert.match(sentence, /^DATABASE_URL: .* refuses the user \w+ .* with the same SECRET_KEY\. Waited/);
});

test("a node that uses a part none of its migrations has named is told at the start which one, and where to write it", async () => {
	const fresh = await freshDatabase();
	const client = new pg.Client({ connectionString: fresh.ownerUrl });
	await client.connect();
	try {
		await client.query("drop table presence.room_events");
		const variables = { DATABASE_URL: fresh.ownerUrl, NODES: "presence", LOG_LEVEL: "fatal", PORT: "0" };
		await assert.rejects(startApp({ env: env(variables) }), {
			sentence: true,
			message:
				'The node presence uses the part room-log, but its schema has no table room_events: let a new migration in services/presence/migrations begin with the line "-- parts: room-log".',
		});
	} finally {
		await client.end();
		await fresh.close();
	}
});
