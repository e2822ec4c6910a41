// What operators see of a running process, and tell it: one table, offered by `npm run admin` and the REPL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { lstat, readdir, writeFile } from "node:fs/promises";
import { connect as open } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { openDatabases } from "../../../config/databases.ts";
import { nodeFolders, readEnv } from "../../../config/env.ts";
import { nodesWithMigrations } from "../../../config/migrations.ts";
import { localProcesses } from "../../../config/processes.ts";
import { connect, http, is, person, say } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { codeOf } from "../../support/factors.ts";
import type { Running } from "../../support/process.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";
import { runProgram } from "../../support/run.ts";

let data: Awaited<ReturnType<typeof dataDirectory>>;
let running: Running;
before(async () => {
	data = await dataDirectory();
	running = await startProcess(data.path);
});
after(async () => {
	await running.end();
	await data.remove();
});

const run = (program: string, args: string[], input = "") => runProgram(program, args, data.environment, input);
const admin = (...args: string[]) => run("admin", args);
async function json(...args: string[]) {
	const { code, out, err } = await admin(...args, "--json");
	assert.equal(code, 0, err);
	return JSON.parse(out);
}

/** What the REPL prints of some lines, typed one after another: one start of a program for all of them. Each `{…}` is one answer. */
async function typed(...lines: string[]) {
	const { code, out, err } = await run("repl", [], `${lines.join("\n")}\n`);
	assert.deepEqual([code, err], [0, ""]);
	// The prompt is before whatever comes first.
	const said = out.replace(/^mol \$ /, "");
	return { out: said, answers: said.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : [])) };
}

describe("the living process", () => {
	test("is listed with what it carries, and how it is", async () => {
		const [one, ...others] = await json("nodes");
		assert.deepEqual(others, []);
		assert.equal(one.state.pid, running.pid);
		assert.deepEqual(one.state.nodes, nodeFolders());
		assert.deepEqual([one.state.health.status, one.state.sockets], ["ok", 0]);
		assert.match((await admin("nodes")).out, /^process +nodes +pid .*\n.* ok\n$/);
	});

	test("tells its sockets, the rooms they hear, and whose actor a group is", async () => {
		const ana = await person(running.url, "Ana");
		const socket = await connect(running.url, ana.accessToken);
		const group = await ana.post("/api/groups", { name: "Menders", isPublic: true });
		await say(socket, "group:join", { groupId: group.body.id });
		const rooms = await eventually(async () => {
			const answer = await json("rooms");
			assert.equal(answer.total, 2);
			return answer.rooms.map((row: { room: string; sockets: number }) => [row.room, row.sockets]);
		});
		assert.deepEqual(rooms, [
			[`group:${group.body.id}`, 1],
			[`profile:${ana.profileId}`, 1],
		]);
		const asked = ["sockets --json", `actors ${group.body.id} --json`, `user ${ana.email} --json`];
		const [{ total, sockets }, actor, user] = (await typed(...asked)).answers;
		assert.deepEqual([total, sockets[0].profileId, sockets[0].displayName, sockets[0].rooms], [1, ana.profileId, "Ana", 2]);
		assert.deepEqual([actor.held.length, actor.held[0].head, actor.held[0].waiting], [1, 1, 0]);
		assert.equal(actor.owner, actor.held[0].nodeId);
		assert.deepEqual([user.role, user.sessions, user.profiles[0].displayName, user.sockets.length], ["user", 1, "Ana", 1]);
		assert.equal(JSON.stringify(user).includes("password"), false);
		assert.deepEqual([user.mfa, user.factors], [false, []]);
		const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
		is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200);
		assert.match((await admin("user", ana.email)).out, /second factor: totp, recovery/);
		socket.close();
	});

	test("removes the second factors of who has lost them, and ends what was signed in with them", async () => {
		const ana = await person(running.url, "Ana");
		const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
		is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200);
		assert.match(
			(await admin("reset-mfa", ana.email)).out,
			/signs in with the password alone now: an authenticator app and 0 passkeys were removed/,
		);
		const { body } = is(await http(running.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 200);
		assert.equal(body.account.mfa, false);
		await eventually(async () => is(await ana.get("/api/auth/me"), 401, "invalid-token"));
		assert.match((await admin("reset-mfa", ana.email)).out, /had no second factor/);
	});

	test("refuses what is no group's id, and nobody is found by a strange address", async () => {
		const strange = await admin("actors", "menders");
		assert.deepEqual([strange.code, /groupId/.test(strange.err)], [1, true]);
		const nobody = await admin("user", "nobody@example.org");
		assert.deepEqual([nobody.code, nobody.err.trim()], [1, "There is no account with this e-mail."]);
	});

	test("is heard by its owner's user alone, and answers for nothing but operators' actions", async () => {
		const [name = ""] = (await readdir(join(data.path, "control"))).filter((file) => file.endsWith(".sock"));
		const file = join(data.path, "control", name);
		assert.equal((await lstat(file)).mode & 0o077, 0);
		const socket = open(file);
		socket.end(JSON.stringify({ action: "auth.create", params: { email: "thief@example.org" } }));
		let text = "";
		for await (const chunk of socket.setEncoding("utf8")) text += chunk;
		assert.ok(JSON.parse(text).error);
		assert.equal((await admin("user", "thief@example.org")).code, 1);
	});
});

test("help goes out where it was asked for, and as an error where the words were wrong", async () => {
	const overview = await admin("help");
	assert.deepEqual([overview.code, overview.err], [0, ""]);
	assert.match(overview.out, /^ +drain <node>/m);
	const missing = await admin("drain");
	assert.deepEqual([missing.code, missing.out, missing.err.trim()], [2, "", "Usage: npm run admin -- drain <node> [--json]"]);
	const wrong = await admin("dead-letters", "burn");
	assert.deepEqual([wrong.code, wrong.err.trim()], [2, "Usage: npm run admin -- dead-letters [replay [factId]] [--json]"]);
});

test("facts that wait and dead letters are told without any process, node by node", async () => {
	const outbox = await json("outbox");
	assert.deepEqual(Object.keys(outbox), nodesWithMigrations());
	assert.deepEqual([outbox.groups.oldest === null || typeof outbox.groups.oldest, typeof outbox.groups.unsent], [true, "number"]);
	const { out, err } = await run("repl", [], "dead-letters --json\ndead-letters\ndead-letters replay --json\ndead-letters replay no-id\n");
	assert.match(out, /\{"data":\[\]\}[\s\S]*There are no dead letters\.[\s\S]*\{"replayed":0\}/, "in the order of the lines");
	assert.equal(err.trim(), "A fact's id is a UUID.");
});

test("a dead letter is listed with its cause, and gets another life", async () => {
	const databases = await openDatabases(readEnv(data.environment), () => {});
	const client = new pg.Client({ connectionString: databases.directUrlFor("presence") });
	await client.connect();
	const ids = [randomUUID(), randomUUID()];
	for (const id of ids) {
		// Of a consumer that does not exist, so that nobody handles it meanwhile.
		await client.query(
			`insert into inbox (consumer, fact_id, type, version, aggregate, at, payload, received_at, tries, dead_at, cause)
			values ('ghost', $1::uuid, 'groups.message.posted', 1, $1::uuid::text, $2, '{}', $2, 10, $2, E'It fell.\\n  at nowhere')`,
			[id, new Date()],
		);
	}
	await client.end();
	await databases.stop();
	const { answers } = await typed("outbox --json", "status --json", "dead-letters --json");
	const [outbox, status, { data: letters }] = answers;
	assert.deepEqual(outbox.presence.consumers.ghost, { waiting: 0, dead: 2 });
	assert.equal(status.deadLetters, 2);
	assert.deepEqual([letters.length, letters[0].node, letters[0].consumer, letters[0].tries], [2, "presence", "ghost", 10]);
	assert.match((await admin("dead-letters")).out, /presence +ghost +.* It fell\.\n/);
	const again = await typed(`dead-letters replay ${ids[0]} --json`, "dead-letters replay", "status --json");
	assert.deepEqual([again.answers[0], again.answers[1].deadLetters], [{ replayed: 1 }, 0]);
	assert.match(again.out, /^1 dead letter will be tried again\.$/m);
});

test("jobs are told by node and task; one that was given up is listed with its cause, and gets another life", async () => {
	const databases = await openDatabases(readEnv(data.environment), () => {});
	const client = new pg.Client({ connectionString: databases.directUrlFor("identity") });
	await client.connect();
	// Of a task that does not exist, so that nobody does it meanwhile.
	const { rows } = await client.query(
		"select job.id from generate_series(1, 2) as n, identity_jobs.add_job('ghost', job_key => 'ghost:' || n) as job order by n",
	);
	const ids: string[] = rows.map(({ id }) => id);
	await client.query(
		"update identity_jobs._private_jobs set attempts = max_attempts, last_error = E'It fell.\\n  at nowhere' where id = any($1)",
		[ids],
	);
	await client.end();
	await databases.stop();
	const { nodes, failed } = await json("jobs");
	assert.partialDeepStrictEqual(nodes.identity, {
		ghost: { waiting: 0, due: 0, running: 0, failed: 2 },
		sweep: { waiting: 1, due: 0, running: 0, failed: 0 },
	});
	assert.deepEqual(nodes.groups, {});
	assert.partialDeepStrictEqual(failed, [
		{ node: "identity", task: "ghost", key: "1", tries: 25, cause: "It fell.\n  at nowhere" },
		{ key: "2" },
	]);
	assert.match((await admin("jobs")).out, /identity +ghost +0 +0 +0 +2\n[\s\S]* It fell\.\n/);
	const again = await typed(`jobs retry identity ${ids[0]} --json`, "jobs retry", "jobs --json");
	assert.deepEqual([again.answers[0], again.answers[1].failed], [{ retried: 1 }, []]);
	assert.match(again.out, /^1 job will be tried again\.$/m);
	const wrong = await admin("jobs", "retry", "nowhere");
	assert.deepEqual([wrong.code, wrong.err.trim()], [1, "There is no node nowhere with a database."]);
});

test("the REPL takes the same words, --json and help among them", async () => {
	const { out, code } = await run("repl", [], "nodes --json\nhelp\ndrain --help\noutbox\n");
	assert.equal(code, 0);
	assert.match(out, new RegExp(`"pid":${running.pid}`));
	assert.match(out, /drain.*Tell one process to leave/, "they are in its list");
	assert.match(out, /Usage: drain <node> \[--json\]/);
	assert.match(out, /node +unsent +oldest/);
});

test("what a killed process left behind is passed over; one that is drained ends as after SIGTERM", async () => {
	await writeFile(join(data.path, "control", "999999999.json"), JSON.stringify({ pid: 999_999_999, nodeId: "ghost", address: "/nowhere" }));
	assert.equal(localProcesses(data.path).length, 1);
	const stranger = await admin("drain", "nobody");
	assert.deepEqual([stranger.code, stranger.err.trim()], [1, "There is no process nobody. See: nodes"]);
	const ended = once(running.child, "exit");
	const told = await json("drain", "groups");
	assert.deepEqual([told.pid, told.leaving], [running.pid, true]);
	await eventually(async () => assert.equal((await http(running.url, "/ready")).status, 503));
	assert.deepEqual(await ended, [0, null]);
	assert.deepEqual(await json("nodes"), []);
	assert.equal((await json("status")).nodes.groups.database, "ok", "the databases can be asked all the same");
});
