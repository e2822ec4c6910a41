// What a process tells Prometheus.
import assert from "node:assert/strict";
import { test } from "node:test";
import { unusedPort } from "../../support/servers.ts";
import { connect, eventually, person, testApp } from "../../support/kit.ts";

const port = await unusedPort();
const app = await testApp({ METRICS_PORT: String(port) });
const url = `http://127.0.0.1:${port}`;

test("with METRICS_PORT a process tells how many sockets it has, and what it uses, on a port of its own", async () => {
	const sockets = async () => /^reloop_sockets\{[^}]*\} (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
	assert.equal(await sockets(), "0");
	const ana = await person(app.url, "Ana");
	const socket = await connect(app.url, ana.accessToken);
	await eventually(async () => assert.equal(await sockets(), "1"));
	socket.close();
	await eventually(async () => assert.equal(await sockets(), "0"));
	assert.match(await (await fetch(`${url}/metrics`)).text(), /^process_resident_memory_bytes\{/m);
	assert.equal((await fetch(`${url}/`)).status, 404);
	assert.equal((await fetch(`${app.url}/metrics`)).status, 404, "not at the door that everybody reaches");
});
