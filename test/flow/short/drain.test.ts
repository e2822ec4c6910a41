// SIGTERM: nobody loses what was acknowledged, everybody is told, and the process ends by itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connect, http, person, say } from "../../support/client.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";

let data: Awaited<ReturnType<typeof dataDirectory>>;
before(async () => {
	data = await dataDirectory();
});
after(() => data.remove());

test("on SIGTERM sockets get bye, requests under way are answered, and the process exits with 0 within ten seconds", async () => {
	const running = await startProcess(data.path);
	const ana = await person(running.url, "Ana");
	const groupId = (await ana.post("/api/groups", { name: "Last words", isPublic: true })).body.id;
	const socket = await connect(running.url, ana.accessToken);
	const bye = new Promise<{ reason: string }>((resolve) => socket.once("bye", resolve));
	const acknowledged: number[] = [];
	const sending = (async () => {
		for (let n = 0; ; n++)
			acknowledged.push((await say(socket, "message:send", { groupId, clientId: `n-${n}`, kind: "text", content: "still here" })).seq);
	})().catch(() => {});
	const asked = Promise.all(Array.from({ length: 20 }, () => ana.get(`/api/groups/${groupId}`)));
	const began = Date.now();
	const code = await running.end("SIGTERM");
	assert.equal(code, 0);
	assert.ok(Date.now() - began < 10_000);
	assert.equal((await bye).reason, "drain");
	for (const reply of await asked) assert.ok(reply.status === 200 || reply.status === 503, `a request under way got ${reply.status}`);
	await sending;
	assert.ok(acknowledged.length > 0);

	const again = await startProcess(data.path);
	const stored: number[] = [];
	for (let head = 1; ; ) {
		const { data: page } = (await http(again.url, `/api/groups/${groupId}/events?after=${head}&limit=500`, { token: ana.accessToken }))
			.body;
		if (page.length === 0) break;
		stored.push(...page.map((event: { seq: number }) => event.seq));
		head = stored.at(-1) as number;
	}
	for (const seq of acknowledged) assert.ok(stored.includes(seq), `message ${seq} was acknowledged and is lost`);
	await again.end();
});

test("a second SIGTERM ends the process at once", async () => {
	const running = await startProcess(data.path);
	const ended = running.end("SIGTERM");
	running.child.kill("SIGTERM");
	running.child.kill("SIGTERM");
	const code = await ended;
	// The first may already have finished the stop.
	assert.ok(code === 1 || code === 0, `ended with ${code}`);
	await (await startProcess(data.path)).end();
});
