// What was promised to persons, in a cluster that loses a node and the process that promised: it is done when they are back.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { keeperNames } from "../../services/contracts/index.ts";
import { ended, fetchArchive, unzip } from "../support/archive.ts";
import { eventually, groupOf, http, is, person } from "../support/kit.ts";
import { needs } from "../support/servers.ts";
import { allBut, Cluster } from "./support/cluster.ts";

describe("an export and an erasure", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 240_000 }, () => {
	let cluster: Cluster;
	before(async () => {
		cluster = await Cluster.start({
			shape: { "api,socket": 1, [allBut("api", "socket", "gamification", "identity")]: 1, identity: 1, gamification: 1 },
		});
	});
	after(() => cluster?.stop());

	test("begun while a node is down, by a process that is killed then, end when both are back", async () => {
		const [url = ""] = cluster.doors("api");
		const [ana, ben] = [await person(url, "Ana"), await person(url, "Ben")];
		const groupId = await groupOf(ana, ben);
		for (const who of [ana, ben]) {
			is(await who.post(`/api/groups/${groupId}/messages`, { clientId: "1", kind: "text", content: "words" }), 201);
			await eventually(async () => assert.ok((await who.get("/api/gamification/points/me")).body.xp > 0), 30_000);
		}
		await cluster.one("gamification").end("SIGKILL");
		const exporting = is(await ana.post("/api/auth/me/export"), 202).body;
		const erasing = is(await ben.send("DELETE", "/api/auth/me", { password: ben.password }), 202).body;
		const erasure = () => http(url, `/api/jobs/${erasing.id}?ticket=${erasing.ticket}`);
		await eventually(async () => {
			const { body } = await erasure();
			assert.deepEqual([body.state, body.done], ["running", keeperNames.length - 1]);
			assert.equal((await ana.get(`/api/jobs/${exporting.id}`)).body.state, "running");
		}, 30_000);
		await cluster.one("identity").end("SIGKILL");
		await Promise.all([cluster.one("identity").start(), cluster.one("gamification").start()]);
		const over = await eventually(() => ended(erasure), 90_000);
		assert.deepEqual(Object.keys(over.result.receipts).sort(), [...keeperNames].sort());
		const { result } = await eventually(() => ended(() => ana.get(`/api/jobs/${exporting.id}`)), 150_000);
		const files = await unzip((await fetchArchive(url, result.url)).bytes);
		assert.ok(files["gamification.json"].entries.length > 0);
	});
});
