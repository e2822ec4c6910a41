// What operators do: the commands beside a running process, the REPL, and how a process says that it is ready or cannot start.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { nodesWithMigrations } from "../../../config/migrations.ts";
import { connect, http } from "../../support/client.ts";
import { TEST_SECRET_KEY } from "../../support/database.ts";
import { testEnvironment } from "../../support/environment.ts";
import { eventually } from "../../support/eventually.ts";
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

/** Runs one of our programs to its end. */
function run(program: string, args: string[], { input = "", env = {} }: { input?: string; env?: Record<string, string> } = {}) {
	return runProgram(program, args, { ...data.environment, ...env }, input);
}
const admin = (...args: string[]) => run("admin", args);

test("an account made by an operator can sign in, and a new role ends what it had open", async () => {
	const made = JSON.parse((await admin("create", "Boss@Example.org", "--json")).out);
	assert.equal(made.email, "boss@example.org");
	const login = await http(running.url, "/api/auth/login", { body: { email: made.email, password: made.password } });
	assert.deepEqual([login.status, login.body.account.role, login.body.account.state], [200, "admin", "active"]);
	assert.ok(
		(await http(running.url, "/api/groups/health", { token: login.body.tokens.accessToken })).body.checks,
		"an admin sees the details",
	);
	const socket = await connect(running.url, login.body.tokens.accessToken);
	const changed = await admin("role", made.email, "moderator");
	assert.equal(changed.code, 0);
	await eventually(() => assert.equal(socket.connected, false), 3_000);
	await eventually(
		async () => assert.equal((await http(running.url, "/api/auth/me", { token: login.body.tokens.accessToken })).status, 401),
		3_000,
	);
	const again = await http(running.url, "/api/auth/login", { body: { email: made.email, password: made.password } });
	assert.equal(again.body.account.role, "moderator");
});

test("a ban ends what the account had open, until it is ended; both are in the audit, which is whole", async () => {
	const made = JSON.parse((await admin("create", "banned@example.org", "--json")).out);
	const signIn = () => http(running.url, "/api/auth/login", { body: made });
	const { accessToken } = (await signIn()).body.tokens;
	const until = new Date(Date.now() + 86_400_000).toISOString();
	const banned = JSON.parse((await admin("ban", made.email, "spam", until, "--json")).out);
	assert.deepEqual([banned.email, banned.state, banned.ban.reason, banned.ban.until], [made.email, "banned", "spam", until]);
	await eventually(async () => assert.equal((await http(running.url, "/api/auth/me", { token: accessToken })).status, 401), 3_000);
	assert.equal((await signIn()).body.code, "banned");
	assert.equal(JSON.parse((await admin("unban", made.email, "--json")).out).state, "active");
	assert.equal((await signIn()).status, 200);
	const checked = await admin("check-audit", "--json");
	const { ok, entries, broken } = JSON.parse(checked.out);
	assert.deepEqual([checked.code, ok, broken], [0, true, null]);
	assert.ok(entries >= 3);
	assert.equal((await admin("unban", made.email)).code, 1);
});

test("what cannot be done is said in a sentence, and the exit code tells", async () => {
	assert.equal((await admin("create", "twice@example.org")).code, 0);
	const twice = await admin("create", "twice@example.org");
	assert.deepEqual([twice.code, twice.err.trim()], [1, "There is an account with this e-mail."]);
	const nobody = await admin("role", "nobody@example.org", "admin");
	assert.deepEqual([nobody.code, nobody.err.trim()], [1, "There is no account with this e-mail."]);
	assert.match((await admin("role", "twice@example.org", "king")).err, /role/);
	const unknown = await admin("abolish");
	assert.equal(unknown.code, 2);
	assert.match(unknown.err, /replay-dead-letters/);
});

test("status and replay speak of every node", async () => {
	const status = JSON.parse((await admin("status", "--json")).out);
	assert.equal(status.deadLetters, 0);
	assert.deepEqual(Object.keys(status.nodes), nodesWithMigrations());
	assert.deepEqual(JSON.parse((await admin("replay-dead-letters", "--json")).out), { replayed: 0 });
});

test("the REPL has the same commands", async () => {
	const { out, code } = await run("repl", [], { input: "status\n" });
	assert.equal(code, 0);
	assert.match(out, /groups +database ok/);
	assert.equal((await http(running.url, "/ready")).status, 200, "the running process goes on");
});

test("in production the ready line is JSON with the url, and a missing SECRET_KEY is a sentence", async () => {
	const other = await dataDirectory();
	const production = { ...other.environment, NODE_ENV: "production", PORT: "0" };
	const refused = await run("start", [], { env: { ...production, SECRET_KEY: "" } });
	assert.equal(refused.code, 1);
	assert.match(refused.err, /^SECRET_KEY is required .*\n$/);
	const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", "config/start.ts"], {
		env: { ...testEnvironment(), ...production, SECRET_KEY: TEST_SECRET_KEY },
	});
	let out = "";
	child.stdout.on("data", (chunk) => {
		out += chunk;
	});
	const ready = await eventually(() => {
		const line = out.split("\n").find((text) => text.includes("ready"));
		assert.ok(line);
		return JSON.parse(line);
	}, 30_000);
	assert.equal((await http(ready.url, "/live")).status, 200);
	child.kill("SIGTERM");
	await once(child, "exit");
	await other.remove();
});

test("an end of npm is an end of Reloop, although the shell between them passes no signal on", async () => {
	const npm = spawn("npm", ["start"], { env: { ...testEnvironment(), ...data.environment, HOME: data.path, PORT: "0" } });
	let out = "";
	npm.stdout.on("data", (chunk) => {
		out += chunk;
	});
	// Not `exit`: npm ends at once.
	const closed = once(npm, "close");
	const [, url = ""] = await eventually(() => {
		const ready = /Reloop is ready at (\S+)/.exec(out);
		assert.ok(ready, out);
		return ready;
	}, 30_000);
	npm.kill("SIGTERM");
	await eventually(async () => assert.equal((await http(url, "/ready")).status, 503), 3_000);
	await closed;
	await assert.rejects(http(url, "/live"));
});
