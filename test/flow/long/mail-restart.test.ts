// A mail that waits for its server survives the end of the process that promised it.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, person } from "../../support/kit.ts";
import { read } from "../../support/mailbox.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";
import { freePort, mailServer } from "../../support/smtp.ts";

test("killed with a mail on its way, a process sends it when it is back, and says no password of the mail server", {
	timeout: 120_000,
}, async () => {
	const home = await dataDirectory();
	const port = await freePort();
	const environment = { SMTP_URL: `smtp://ana:right-hunter2@127.0.0.1:${port}`, LOG_LEVEL: "debug" };
	let running = await startProcess(home.path, environment);
	try {
		const ana = await person(running.url, "Ana");
		await eventually(() => assert.match(running.output(), /a job failed/));
		await running.end("SIGKILL");
		const server = await mailServer({ port, allowInsecureAuth: true });
		const first = running.output();
		running = await startProcess(home.path, environment);
		await eventually(() => assert.equal(server.taken.length, 1), 60_000);
		const [mail] = server.taken;
		assert.deepEqual(mail?.to, [ana.email]);
		const { code } = read("", mail?.raw ?? "");
		const verify = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ email: ana.email, code }) };
		assert.equal((await fetch(`${running.url}/api/auth/verify-email`, verify)).status, 200);
		assert.doesNotMatch(first + running.output(), /hunter2/);
		assert.ok(!(first + running.output()).includes(code as string));
		assert.ok(!(await readdir(home.path)).includes("mail"), join(home.path, "mail"));
		await running.end();
		await server.stop();
	} finally {
		await running.end("SIGKILL");
		await home.remove();
	}
});
