// `npm run admin -- rotate-keys`, beside a running process, and what a wrong SECRET_KEY leads to.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { eventually, http, is, person } from "../../support/kit.ts";
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
const admin = (...args: string[]) => runProgram("admin", args, data.environment);

test("the command makes a key, which the running process signs with and verifies; with --now the others are not believed", async () => {
	const { url } = running;
	const ana = await person(url, "Ana");
	const first = await admin("rotate-keys", "--json");
	assert.equal(first.code, 0, first.err);
	const { kid, revoked } = JSON.parse(first.out);
	assert.deepEqual(revoked, []);
	await eventually(async () => {
		const { accessToken } = await person(url, "Ben");
		is(await http(url, "/api/auth/me", { token: accessToken }), 200);
		assert.equal(decodeProtectedHeader(accessToken).kid, kid);
	}, 10_000);
	is(await ana.get("/api/auth/me"), 200);

	const second = await admin("rotate-keys", "--now");
	assert.equal(second.code, 0, second.err);
	assert.match(second.out, /signs from now on\. No longer believed: /);
	await eventually(async () => is(await ana.get("/api/auth/me"), 401, "invalid-token"), 3_000);
	await eventually(async () => is(await (await person(url, "Eva")).get("/api/auth/me"), 200), 5_000);
	assert.equal((await admin("rotate-keys", "soon")).code, 2);

	const repl = await runProgram("repl", [], data.environment, "rotate-keys --json\n");
	assert.match(repl.out, /"kid":"[\w-]{43}"/);
});

test("with another SECRET_KEY nothing starts, and a sentence says why", async () => {
	await running.end();
	const wrong = startProcess(data.path, { SECRET_KEY: randomBytes(32).toString("base64") });
	await assert.rejects(wrong, (error: Error) => {
		assert.match(error.message, /SECRET_KEY is not the one/);
		assert.doesNotMatch(error.message, /^\s+at /m, "no stack");
		return true;
	});
	running = await startProcess(data.path);
	is(await http(running.url, "/live"), 200);
});
