// The database dies under load, three times: the process lives on, and what was acknowledged is stored and heard once.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, listen, person, say } from "../../support/client.ts";
import { externalUrl } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import type { Running } from "../../support/process.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";
import type { Server } from "../../support/servers.ts";
import { postgresServer } from "../../support/servers.ts";

let data: Awaited<ReturnType<typeof dataDirectory>>;
let running: Running;
/** Where the suite runs on a server from outside: one of that kind, which only this test kills. */
let outside: Server | undefined;
before(async () => {
	data = await dataDirectory();
	outside = externalUrl ? await postgresServer() : undefined;
	running = await startProcess(data.path, outside && { DATABASE_URL: outside.url });
});
after(async () => {
	await running.end();
	await data.remove();
	await outside?.stop();
});

/** The embedded one is started again by Reloop, another one by whoever runs it. */
async function killDatabase(): Promise<void> {
	if (outside) return outside.restart("SIGKILL");
	const [pid] = (await readFile(join(data.path, "postgres", "postmaster.pid"), "utf8")).split("\n");
	process.kill(Number(pid), "SIGKILL");
}

test("after three kills of PostgreSQL no acknowledged message is lost or doubled, on the log and on an open socket", {
	timeout: 120_000,
}, async () => {
	const ana = await person(running.url, "Ana");
	const groupId = (await ana.post("/api/groups", { name: "Shaken", isPublic: true })).body.id;
	const socket = await connect(running.url, ana.accessToken);
	await say(socket, "group:join", { groupId });
	const heard = listen(socket, `group:${groupId}`);
	const acknowledged: number[] = [];
	const refusals = new Set<string>();
	let sending = true;
	const sent = (async () => {
		// The last one, too, is sent until it is acknowledged.
		for (let n = 0, open = false; sending || open; ) {
			open = true;
			try {
				acknowledged.push((await say(socket, "message:send", { groupId, clientId: `m-${n}`, kind: "text", content: "still here" })).seq);
				n++;
				open = false;
			} catch (error) {
				// Refused, and perhaps stored all the same: it is sent again under its own id.
				refusals.add((error as { problem?: { code: string } }).problem?.code ?? String(error));
			}
		}
	})();
	for (let kill = 0; kill < 3; kill++) {
		const reached = acknowledged.length;
		await eventually(() => assert.ok(acknowledged.length > reached + 20), 30_000);
		await killDatabase();
		const known = acknowledged.length;
		await eventually(() => assert.ok(acknowledged.length > known + 20), 30_000);
	}
	sending = false;
	await sent;
	for (const code of refusals) assert.equal(code, "unavailable");

	const { body } = await ana.get(`/api/groups/${groupId}`);
	const log: { seq: number }[] = [];
	for (;;) {
		const page = (await ana.get(`/api/groups/${groupId}/events?after=${log.length}&limit=500`)).body.data;
		if (page.length === 0) break;
		log.push(...page);
	}
	assert.deepEqual(
		log.map((event) => event.seq),
		log.map((_, index) => index + 1),
	);
	assert.equal(log.length, body.head);
	assert.equal(log.length, acknowledged.length + 1);
	assert.equal(new Set(acknowledged).size, acknowledged.length);
	await eventually(() =>
		assert.deepEqual(
			heard.map((event) => event.seq),
			log.slice(1).map((event) => event.seq),
		),
	);
	socket.disconnect();
});
