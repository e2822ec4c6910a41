// Presence over real processes: two doors, two presence nodes, NATS and Redis between them. Whatever dies, hangs or forgets,
// those who follow somebody hear soon how it is, and nothing that never was.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Socket } from "socket.io-client";
import type { Person } from "../support/client.ts";
import { connect, person, say } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { needs } from "../support/servers.ts";
import { allBut, Cluster } from "./support/cluster.ts";

/** Three times what is promised. */
const SOON = 15_000;

describe("presence in a cluster", { skip: needs("nats-server", "redis-server", "postgres") }, () => {
	let cluster: Cluster;
	let ana: Person;
	let ben: Person;
	let cleo: Person;
	/** Ana's, on the first door; Ben and Cleo come and go on the second. */
	let watching: Socket;
	const heard: string[] = [];
	const open = new Set<Socket>();

	const join = async (who: Person, door: number): Promise<Socket> => {
		const socket = await connect(cluster.one("socket", door).url, who.accessToken);
		open.add(socket);
		return socket;
	};
	const nameOf = (id: string) => [ana, ben, cleo].find(({ profileId }) => profileId === id)?.displayName;
	const hears = (expected: string[]) => eventually(() => assert.deepEqual(heard, expected, cluster.output()), SOON);
	const statuses = async (...people: Person[]): Promise<string[]> => {
		const { body } = await ana.get(`/api/presence?ids=${people.map(({ profileId }) => profileId).join(",")}`);
		return body.data.map(({ status }: { status: string }) => status);
	};

	before(async () => {
		cluster = await Cluster.start({ shape: { api: 1, socket: 2, [allBut("api", "socket", "presence")]: 1, presence: 2 } });
		const api = cluster.one("api").url;
		[ana, ben, cleo] = await Promise.all([person(api, "Ana"), person(api, "Ben"), person(api, "Cleo")]);
		watching = await join(ana, 0);
		watching.on("signal", ({ type, profiles = [] }: { type: string; profiles?: { profileId: string; status: string }[] }) => {
			if (type === "presence") heard.push(...profiles.map(({ profileId, status }) => `${nameOf(profileId)} ${status}`));
		});
		await say(watching, "presence:subscribe", { profileIds: [ben.profileId, cleo.profileId] });
	});
	after(async () => {
		for (const socket of open) socket.close();
		await cluster?.stop();
	});

	test("a door is killed: who was there alone is gone within 5 s, who is elsewhere too stays", async () => {
		await join(ben, 1);
		await hears(["Ben online"]);
		await join(cleo, 1);
		await hears(["Ben online", "Cleo online"]);
		await join(cleo, 0);
		await cluster.one("socket", 1).end("SIGKILL");
		await hears(["Ben online", "Cleo online", "Ben offline"]);
		assert.deepEqual(await statuses(ana, ben, cleo), ["online", "offline", "online"]);
		await cluster.one("socket", 1).start();
	});

	test("a block passes nothing between two doors, from a second after it began until it ends", async () => {
		heard.length = 0;
		const bens = await join(ben, 1);
		const heardByBen: string[] = [];
		bens.on("signal", ({ type, profiles = [] }: { type: string; profiles?: { profileId: string; status: string }[] }) => {
			if (type === "presence") heardByBen.push(...profiles.map(({ profileId, status }) => `${nameOf(profileId)} ${status}`));
		});
		await hears(["Ben online"]);
		await say(bens, "presence:subscribe", { profileIds: [ana.profileId, cleo.profileId] });
		assert.equal((await ana.send("PUT", `/api/blocks/${ben.profileId}`)).status, 200);
		await hears(["Ben online", "Ben offline"]);
		await eventually(() => assert.deepEqual(heardByBen, ["Ana offline"]));
		assert.deepEqual(await statuses(ben, cleo), ["offline", "online"]);
		await say(bens, "presence:set", { status: "away" });
		await say(watching, "presence:set", { status: "away" });
		assert.deepEqual((await say(bens, "presence:subscribe", { profileIds: [ana.profileId] })).online, []);
		assert.equal((await ana.send("DELETE", `/api/blocks/${ben.profileId}`)).status, 204);
		await hears(["Ben online", "Ben offline", "Ben away"]);
		await eventually(() => assert.deepEqual(heardByBen, ["Ana offline", "Ana away"]));
		await say(watching, "presence:set", { status: "online" });
		bens.close();
		await hears(["Ben online", "Ben offline", "Ben away", "Ben offline"]);
	});

	test("both presence nodes are killed, and come again: nobody is said to have gone", async () => {
		heard.length = 0;
		const bens = await join(ben, 1);
		await hears(["Ben online"]);
		const nodes = [cluster.one("presence", 0), cluster.one("presence", 1)];
		await Promise.all(nodes.map((node) => node.end("SIGKILL")));
		await Promise.all(nodes.map((node) => node.start()));
		await eventually(async () => assert.deepEqual(await statuses(ana, ben, cleo), ["online", "online", "online"]), SOON);
		await say(bens, "presence:set", { status: "away" });
		await hears(["Ben online", "Ben away"]);
		bens.close();
		await hears(["Ben online", "Ben away", "Ben offline"]);
	});

	test("NATS restarts while people come and go: what was said meanwhile is made up for", async () => {
		heard.length = 0;
		const bens = await join(ben, 1);
		await hears(["Ben online"]);
		await cluster.servers.nats.stop();
		bens.close();
		await cluster.servers.nats.start();
		await hears(["Ben online", "Ben offline"]);
		assert.deepEqual(await statuses(ana, ben, cleo), ["online", "offline", "online"]);
	});

	test("Redis is emptied: nobody is said to have gone, and what changes is heard again", async () => {
		heard.length = 0;
		await cluster.servers.redis.wipe();
		const bens = await join(ben, 1);
		await hears(["Ben online"]);
		bens.close();
		await hears(["Ben online", "Ben offline"]);
		await eventually(async () => assert.deepEqual(await statuses(ana, ben, cleo), ["online", "offline", "online"]), SOON);
	});

	test("a door is replaced: its people, who come to another one, were never away", async () => {
		heard.length = 0;
		const leaving = await join(ben, 1);
		await hears(["Ben online"]);
		const back = new Promise<void>((resolve, reject) => {
			leaving.once("bye", ({ reconnectAfterMs }: { reconnectAfterMs: number }) => {
				// As late as a client may be.
				setTimeout(() => join(ben, 0).then(() => resolve(), reject), Math.max(1_900, reconnectAfterMs));
			});
		});
		await cluster.one("socket", 1).end("SIGTERM");
		await back;
		await cluster.one("socket", 1).start();
		const bens = [...open].at(-1) as Socket;
		await say(bens, "presence:set", { status: "away" });
		await hears(["Ben online", "Ben away"]);
		bens.close();
		await hears(["Ben online", "Ben away", "Ben offline"]);
	});

	test("a presence node hangs: those who are here stay here, and what changes is heard", async () => {
		heard.length = 0;
		cluster.one("presence", 0).freeze();
		const bens = await join(ben, 1);
		await hears(["Ben online"]);
		// Longer than a door may be silent.
		const until = performance.now() + 6_000;
		await eventually(() => assert.ok(performance.now() > until));
		assert.deepEqual(heard, ["Ben online"]);
		bens.close();
		await hears(["Ben online", "Ben offline"]);
		cluster.one("presence", 0).thaw();
		await eventually(async () => assert.deepEqual(await statuses(ana, ben, cleo), ["online", "offline", "online"]), SOON);
		assert.deepEqual(heard, ["Ben online", "Ben offline"]);
	});

	test("a door hangs: its people are gone, and here again when it goes on", async () => {
		heard.length = 0;
		await join(ben, 1);
		await hears(["Ben online"]);
		cluster.one("socket", 1).freeze();
		await hears(["Ben online", "Ben offline"]);
		cluster.one("socket", 1).thaw();
		await hears(["Ben online", "Ben offline", "Ben online"]);
	});
});
