// Whether a process lives and is ready, asked of processes that run a part of the nodes only.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEmbedded } from "../../../config/embedded-postgres.ts";
import { http } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { dataDirectory, startProcess } from "../../support/process.ts";
import type { Running } from "../../support/process.ts";

let data: Awaited<ReturnType<typeof dataDirectory>>;
before(async () => {
	data = await dataDirectory();
});
after(() => data.remove());

describe("a process without a door of its own", () => {
	let database: Awaited<ReturnType<typeof dataDirectory>>;
	let server: Awaited<ReturnType<typeof startEmbedded>>;
	let groups: Running;
	before(async () => {
		database = await dataDirectory();
		server = await startEmbedded(database.path);
		groups = await startProcess(data.path, { NODES: "groups", DATABASE_URL: server.ownerUrl });
	});
	after(async () => {
		await groups.end();
		await server.stop();
		await database.remove();
	});

	test("says on its port that it lives, and that it is ready", async () => {
		assert.deepEqual(await http(groups.url, "/live").then(({ status, body }) => [status, body]), [200, { status: "ok" }]);
		const { status, body, headers } = await http(groups.url, "/ready");
		assert.deepEqual([status, body], [200, { status: "ok", checks: { groups: { status: "ok" }, database: { status: "ok" } } }]);
		assert.equal(headers.get("cache-control"), "no-store");
	});

	test("offers nothing else there", async () => {
		const nothing = await http(groups.url, "/api/groups");
		assert.deepEqual([nothing.status, nothing.body.code], [404, "not-found"]);
		const post = await http(groups.url, "/ready", { body: {} });
		assert.deepEqual([post.status, post.body.code, post.headers.get("allow")], [405, "method-not-allowed", "GET, HEAD"]);
	});

	test("is red while its database is away, and green when it is back; alive all the time", async () => {
		await server.stop();
		await eventually(async () => {
			const { status, body } = await http(groups.url, "/ready");
			assert.deepEqual([status, body.status, body.checks.database], [503, "down", { status: "down" }]);
		});
		assert.equal((await http(groups.url, "/live")).status, 200);
		server = await startEmbedded(database.path);
		await eventually(async () => assert.equal((await http(groups.url, "/ready")).status, 200));
	});
});

test("a lone realtime door answers on SOCKET_PORT, and is red while it drains", async () => {
	const socket = await startProcess(data.path, { NODES: "socket", SOCKET_PORT: "0" });
	const { status, body } = await http(socket.url, "/ready");
	assert.deepEqual([status, body], [200, { status: "ok", checks: { socket: { status: "ok" } } }]);
	const ended = socket.end();
	await eventually(async () => assert.equal((await http(socket.url, "/ready")).status, 503));
	assert.equal(await ended, 0);
});
