// PostgreSQL behind a pooler in transaction mode: each transaction may run on another connection, and the connections are few.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { derivedLogin } from "../../config/roles.ts";
import type { TestApp } from "../support/app.ts";
import { startTestApp } from "../support/app.ts";
import { connect, listen, person, say } from "../support/client.ts";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { needs, pgBouncer, postgresServer } from "../support/servers.ts";

const PEOPLE = 6;
/** Below the cap of a day, so that a fact that is heard twice shows. */
const MESSAGES = 15;
const XP_PER_MESSAGE = 5;

describe("behind a pooler", { skip: needs("postgres", "initdb", "pgbouncer"), timeout: 120_000 }, () => {
	let server: Server;
	let pooler: Server;
	let app: TestApp;
	before(async () => {
		// A server's own clock and form of times are no node's.
		server = await postgresServer({ settings: { timezone: "Asia/Seoul", datestyle: "German" } });
		// Fewer connections per node than a node would open by itself.
		pooler = await pgBouncer(server, { poolSize: 2 });
		app = await startTestApp({ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: server.url, SECRET_KEY: TEST_SECRET_KEY });
	});
	after(async () => {
		await app?.stop();
		await pooler?.stop();
		await server?.stop();
	});

	test("people who all write at once are heard in one order, and each is paid once", async () => {
		const [ana, ...others] = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => person(app.url, `Person ${n}`)));
		assert.ok(ana);
		const groupId: string = (await ana.post("/api/groups", { name: "Pooled", isPublic: true })).body.id;
		await Promise.all(others.map((other) => other.post(`/api/groups/${groupId}/join`)));
		const sockets = await Promise.all([ana, ...others].map(({ accessToken }) => connect(app.url, accessToken)));
		const heard = await Promise.all(
			sockets.map(async (socket) => {
				const events = listen(socket, `group:${groupId}`);
				await say(socket, "group:join", { groupId });
				return events;
			}),
		);
		const acknowledged: number[] = [];
		await Promise.all(
			sockets.map(async (socket, who) => {
				for (let n = 0; n < MESSAGES; n++) {
					const message = { groupId, clientId: `${who}-${n}`, kind: "text", content: `message ${n}` };
					acknowledged.push((await say(socket, "message:send", message)).seq);
				}
			}),
		);
		const expected = acknowledged.toSorted((a, b) => a - b);
		assert.equal(new Set(expected).size, PEOPLE * MESSAGES);
		assert.equal((expected.at(-1) as number) - (expected[0] as number), PEOPLE * MESSAGES - 1, "without a gap");
		for (const events of heard)
			await eventually(() =>
				assert.deepEqual(
					events.filter(({ type }) => type === "message").map(({ seq }) => seq),
					expected,
				),
			);
		// What was told became points: facts, their inbox and LISTEN over the direct way.
		for (const one of [ana, ...others])
			await eventually(async () => assert.equal((await one.get("/api/gamification/points/me")).body.xp, MESSAGES * XP_PER_MESSAGE));
		for (const socket of sockets) socket.disconnect();
	});

	test("limits and paths belong to the role: every connection of the pool has them", async () => {
		const { user, password } = derivedLogin("groups", TEST_SECRET_KEY);
		const connectionString = Object.assign(new URL(pooler.url), { username: user, password }).href;
		const clients = await Promise.all(
			Array.from({ length: 4 }, async () => {
				const client = new pg.Client({ connectionString });
				await client.connect();
				return client;
			}),
		);
		const sql =
			"select current_setting('statement_timeout') as most, current_setting('search_path') as path, current_setting('timezone') as zone, current_setting('datestyle') as style";
		const answers = await Promise.all(clients.map(async (client) => (await client.query(sql)).rows[0]));
		for (const answer of answers) assert.deepEqual(answer, { most: "30s", path: "groups, extensions", zone: "UTC", style: "ISO, MDY" });
		await Promise.all(clients.map((client) => client.end()));
	});

	test("a job is done, and the next one is planned", async () => {
		const { user, password } = derivedLogin("identity", TEST_SECRET_KEY);
		const client = new pg.Client({ connectionString: Object.assign(new URL(pooler.url), { username: user, password }).href });
		await client.connect();
		const sweeps = async () =>
			(
				await client.query<{ id: string; late: boolean }>(
					"select id, run_at < now() as late from identity_jobs.jobs where task_identifier = 'sweep'",
				)
			).rows;
		const [first] = await eventually(async () => {
			const found = await sweeps();
			assert.equal(found.length, 1);
			return found;
		});
		await client.query("select from identity_jobs.reschedule_jobs(array[$1::bigint], run_at => now() - interval '2 hours')", [first?.id]);
		await eventually(async () => {
			const found = await sweeps();
			assert.deepEqual([found.length, found[0]?.late], [1, false]);
			assert.notEqual(found[0]?.id, first?.id);
		});
		await client.end();
	});

	test("a pooler that is restarted is waited for, and nothing acknowledged is lost", async () => {
		const ana = await person(app.url, "Ana");
		const groupId: string = (await ana.post("/api/groups", { name: "Restarted", isPublic: true })).body.id;
		const stored: number[] = [];
		const send = async (n: number) => {
			const { status, body } = await ana.post(`/api/groups/${groupId}/messages`, {
				clientId: `m-${n}`,
				kind: "text",
				content: "still here",
			});
			assert.ok(status === 201 || status === 200, `${status} ${JSON.stringify(body)}`);
			stored.push(body.seq);
		};
		for (let n = 0; n < 5; n++) await send(n);
		await pooler.restart();
		for (let n = 5; n < 10; n++) await eventually(() => send(n), 15_000);
		const { body } = await ana.get(`/api/groups/${groupId}/events?after=1&limit=500`);
		assert.deepEqual(
			body.data.map(({ seq }: { seq: number }) => seq),
			stored,
		);
	});
});
