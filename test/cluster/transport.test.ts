// The processes of a cluster on a real NATS: who is believed, who is asked, and who hears what.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { connect as connectToNats } from "nats";
import type { NatsConnection } from "nats";
import type { Person } from "../support/client.ts";
import { connect, listen, person, say } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { needs, unusedPort } from "../support/servers.ts";
import { allBut, Cluster } from "./support/cluster.ts";

interface Connz {
	connections: { name?: string; out_msgs: number; subscriptions_list?: string[] }[];
}

describe("a cluster over NATS", { skip: needs("nats-server", "redis-server", "postgres"), timeout: 120_000 }, () => {
	let cluster: Cluster;
	let monitor: number;
	let stranger: NatsConnection;
	let ana: Person;
	let ben: Person;

	before(async () => {
		monitor = await unusedPort();
		cluster = await Cluster.start({
			shape: { api: 1, socket: 2, groups: 2, [allBut("api", "socket", "groups")]: 1 },
			nats: { config: `http: "127.0.0.1:${monitor}"` },
		});
		stranger = await connectToNats({ servers: new URL(cluster.servers.nats.url).host });
		const [api = ""] = cluster.doors("api");
		[ana, ben] = await Promise.all([person(api, "Ana"), person(api, "Ben")]);
	});
	after(async () => {
		await stranger?.close();
		await cluster?.stop();
	});

	/** A packet as Moleculer sends it, from somebody who has read its source. */
	function ask(
		action: string,
		meta: object,
		ver = "5",
	): Promise<{ success: boolean; data: unknown; error?: { type: string } } | undefined> {
		const sender = `stranger-${randomUUID()}`;
		const id = randomUUID();
		const answer = stranger.subscribe(`MOL-reloop.RES.${sender}`, { max: 1, timeout: 1_500 });
		const packet = {
			ver,
			sender,
			id,
			action,
			params: {},
			meta,
			timeout: 5_000,
			level: 1,
			tracing: null,
			parentID: null,
			requestID: id,
			caller: null,
			stream: false,
		};
		stranger.publish(`MOL-reloop.REQB.${action}`, JSON.stringify(packet));
		return (async () => {
			for await (const message of answer) return message.json() as { success: boolean; data: unknown };
			return undefined;
		})().catch(() => undefined);
	}

	test("who can publish on NATS is nobody: a principal written into a packet is refused, whatever it says", async () => {
		const written = {
			accountId: ana.accountId,
			profileId: ana.profileId,
			displayName: "Ana",
			sessionId: randomUUID(),
			roles: ["admin"],
			scopes: ["account:own", "ops:read"],
		};
		assert.equal((await ask("identity.jwks", {}))?.success, true, "the stranger's packets do arrive");
		for (const principal of [written, { ...written, seal: { until: 4_000_000_000, mac: "AAAA" } }, { ...written, seal: 7 }]) {
			const answer = await ask("auth.me", { principal });
			assert.equal(answer?.success, false);
			assert.equal(answer?.error?.type, "unauthenticated");
			assert.equal(JSON.stringify(answer).includes(ana.email), false);
		}
	});

	test("a node of another namespace is not heard, and said so once", async () => {
		const identity = cluster.one("identity");
		const info = {
			ver: "5",
			sender: "neighbour",
			services: [],
			config: {},
			ipList: [],
			hostname: "x",
			client: {},
			instanceID: "1",
			metadata: {},
			seq: 1,
		};
		for (let n = 0; n < 5; n++) stranger.publish("MOL-elsewhere.INFO", JSON.stringify(info));
		assert.equal((await ask("identity.jwks", {}))?.success, true);
		await eventually(() => assert.match(identity.output, /another namespace[^\n]*|MOL-elsewhere/));
		assert.equal(identity.output.split("MOL-elsewhere").length - 1, 1);
	});

	test("a node of another protocol version is refused, and said so once", async () => {
		const identity = cluster.one("identity");
		assert.equal(await ask("identity.jwks", {}, "4"), undefined);
		for (let n = 0; n < 5; n++) stranger.publish("MOL-reloop.HEARTBEAT", JSON.stringify({ ver: "4", sender: "old-node", cpu: 1 }));
		// Answered after them, on the same connections.
		assert.equal((await ask("identity.jwks", {}))?.success, true);
		await eventually(() => assert.match(identity.output, /another protocol version[^\n]*old-node|old-node[^\n]*another protocol version/));
		assert.equal(identity.output.split("old-node").length - 1, 1);
	});

	const connections = async () =>
		((await (await fetch(`http://127.0.0.1:${monitor}/connz?subs=1&limit=1024`)).json()) as Connz).connections;
	const gateways = async () => (await connections()).filter(({ name }) => name === "socket");
	const hearing = async (room: string) =>
		(await gateways()).filter(({ subscriptions_list = [] }) => subscriptions_list.includes(`reloop.rooms.${room}`));

	test("a gateway subscribes to a room only while it has a member of it, and a message reaches no other", async () => {
		const group = (await ana.post("/api/groups", { name: "Near", isPublic: true })).body;
		const room = `group:${group.id}`;
		const [one = "", two = ""] = cluster.doors("socket");
		const [near, far] = await Promise.all([connect(one, ana.accessToken), connect(two, ben.accessToken)]);
		const heard = listen(near, room);
		assert.equal((await hearing(room)).length, 0);
		await say(near, "group:join", { groupId: group.id });
		assert.equal((await hearing(room)).length, 1);

		const before = await gateways();
		const count = 400;
		for (let n = 0; n < count; n += 20) {
			await Promise.all(
				Array.from({ length: 20 }, (_, at) =>
					ana.post(`/api/groups/${group.id}/messages`, { clientId: `m${n + at}`, kind: "text", content: "near" }),
				),
			);
		}
		await eventually(() => assert.equal(heard.length, count));
		const after = await gateways();
		const [least = 0, most = 0] = after.map(({ out_msgs }, at) => out_msgs - (before[at]?.out_msgs ?? 0)).sort((a, b) => a - b);
		// What the far one gets meanwhile is heartbeats; nothing of it grows with the messages.
		assert.ok(least < most && least < count / 4, `the gateway without a member got ${least} messages, the other one ${most}`);

		await say(near, "group:leave", { groupId: group.id });
		await eventually(async () => assert.equal((await hearing(room)).length, 0));
		near.close();
		far.close();
	});

	test("who was made a member by one process is one for the other, and whoever is removed hears nothing more on any gateway", async () => {
		const group = (await ana.post("/api/groups", { name: "Door", isPublic: true })).body;
		const room = `group:${group.id}`;
		const sockets = await Promise.all(cluster.doors("socket").map((door) => connect(door, ben.accessToken)));
		assert.equal((await ben.post(`/api/groups/${group.id}/join`)).status, 200);
		const heard = sockets.map((socket) => listen(socket, room));
		for (const socket of sockets) await say(socket, "group:join", { groupId: group.id });
		await ana.post(`/api/groups/${group.id}/messages`, { clientId: "1", kind: "text", content: "before" });
		await eventually(() =>
			assert.deepEqual(
				heard.map((events) => events.length),
				[1, 1],
			),
		);
		assert.equal((await ana.send("DELETE", `/api/groups/${group.id}/members/${ben.profileId}`)).status, 204);
		await ana.post(`/api/groups/${group.id}/messages`, { clientId: "2", kind: "text", content: "after" });
		for (const socket of sockets) await assert.rejects(say(socket, "group:join", { groupId: group.id }), /not-member/);
		assert.equal((await ben.get(`/api/groups/${group.id}/messages`)).status, 403);
		const texts = heard.flat().map((event) => event.message?.content);
		assert.equal(texts.includes("after"), false);
		for (const socket of sockets) socket.close();
	});

	test("an answer larger than NATS takes arrives whole", async () => {
		const group = (await ana.post("/api/groups", { name: "Long", isPublic: true })).body;
		// Letters that take three bytes each: a page of a hundred is well above a megabyte.
		const content = "€".repeat(4_000);
		for (let n = 0; n < 100; n += 10) {
			await Promise.all(
				Array.from({ length: 10 }, (_, at) =>
					ana.post(`/api/groups/${group.id}/messages`, { clientId: `l${n + at}`, kind: "text", content }),
				),
			);
		}
		const page = await ana.get(`/api/groups/${group.id}/messages?limit=100`);
		assert.equal(page.status, 200);
		assert.equal(page.body.data.length, 100);
		assert.ok(page.body.data.every((message: { content: string }) => message.content === content));
	});

	test("a broadcast reaches every process (moleculer issue 791): a session that ends is refused by all doors at once", async () => {
		const [api = ""] = cluster.doors("api");
		const carol = await person(api, "Carol");
		const sockets = await Promise.all(cluster.doors("socket").map((door) => connect(door, carol.accessToken)));
		const byes = sockets.map((socket) => new Promise((resolve) => socket.once("bye", resolve)));
		assert.equal((await carol.post("/api/auth/logout")).status, 204);
		assert.deepEqual(await Promise.all(byes), [{ reason: "revoked" }, { reason: "revoked" }]);
	});

	test("while NATS is away every process says that it is not ready, requests are refused soon, and it heals by itself", async () => {
		const { nats } = cluster.servers;
		const readiness = async (url: string) => {
			const answer = await fetch(`${url}/ready`);
			return { code: answer.status, ...((await answer.json()) as { checks: Record<string, { status: string }> }) };
		};
		await nats.stop();
		for (const { url } of cluster.members) {
			await eventually(async () => {
				const { code, checks } = await readiness(url);
				assert.deepEqual([code, checks.transport?.status], [503, "down"]);
			});
			assert.equal((await fetch(`${url}/live`)).status, 200);
		}
		// Far below the deadline of a call, with which it would end in any case.
		const refused = await Promise.race([
			ana.get("/api/groups"),
			new Promise<never>((_, reject) => setTimeout(reject, 10_000, new Error("no answer")).unref()),
		]);
		assert.deepEqual([refused.status, refused.body.code], [503, "unavailable"]);
		assert.ok(Number(refused.headers.get("retry-after")) > 0);

		await nats.start();
		for (const { url } of cluster.members) await eventually(async () => assert.equal((await readiness(url)).code, 200), 15_000);
		await eventually(async () => assert.equal((await ana.get("/api/groups")).status, 200));
	});
});
