// The whole platform in one process on a real Redis that comes, stalls, is emptied, and goes: people notice next to nothing.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Socket } from "socket.io-client";
import { redisOf, redisStatus } from "../../mixins/redis/redis.ts";
import type { TestApp } from "../support/app.ts";
import { startTestApp } from "../support/app.ts";
import type { Person } from "../support/client.ts";
import { connect, http, person, say } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { needs, redisServer } from "../support/servers.ts";

/** Three times what is promised. */
const SOON = 15_000;

describe("a platform on Redis", { skip: needs("redis-server") }, () => {
	let redis: Server;
	let app: TestApp;
	let ana: Person;
	let ben: Person;
	let groupId: string;
	const open = new Set<Socket>();
	const leave = (socket: Socket): void => {
		open.delete(socket);
		socket.close();
	};

	before(async () => {
		redis = await redisServer();
		await redis.stop();
		// Away at the start: no reason to wait for it.
		app = await startTestApp({ REDIS_URL: redis.url, RATE_LIMIT_FACTOR: "10" });
	});
	after(async () => {
		for (const socket of open) socket.close();
		await app?.stop();
		await redis?.stop();
	});

	const join = async (who: Person): Promise<Socket> => {
		const socket = await connect(app.url, who.accessToken);
		open.add(socket);
		return socket;
	};
	const ready = () => http(app.url, "/ready");
	const isReady = async (status: "ok" | "degraded") => {
		const { status: code, body } = await ready();
		assert.deepEqual([code, body.status, body.checks.redis.status], [200, status, status]);
	};
	const statusOf = async (who: Person): Promise<string> => (await ana.get(`/api/presence?ids=${who.profileId}`)).body.data[0].status;
	const post = async (who: Person, content: string): Promise<void> => {
		const began = performance.now();
		assert.equal((await who.post(`/api/groups/${groupId}/messages`, { clientId: content, kind: "text", content })).status, 201);
		assert.ok(performance.now() - began < 2_000, "nobody waits for Redis");
	};
	/** What a socket hears of Ben from now on. */
	const heardOf = (socket: Socket, who: Person): string[] => {
		const heard: string[] = [];
		socket.on("signal", ({ type, profiles = [] }: { type: string; profiles?: { profileId: string; status: string }[] }) => {
			if (type === "presence") heard.push(...profiles.filter(({ profileId }) => profileId === who.profileId).map(({ status }) => status));
		});
		return heard;
	};

	test("starts and serves without it: people register, talk and connect; who is here is unknown", async () => {
		await isReady("degraded");
		[ana, ben] = await Promise.all([person(app.url, "Ana"), person(app.url, "Ben")]);
		groupId = (await ana.post("/api/groups", { name: "Menders", isPublic: true })).body.id;
		assert.equal((await ben.post(`/api/groups/${groupId}/join`)).status, 200);
		await post(ana, "one");
		const socket = await join(ana);
		const { head } = await say(socket, "group:join", { groupId });
		const { seq } = await say(socket, "message:send", { groupId, clientId: "two", kind: "text", content: "two" });
		assert.equal(seq, head + 1);
		assert.equal(await statusOf(ana), "unknown");
		assert.deepEqual((await say(socket, "presence:subscribe", { groupId })).online, []);
		await assert.rejects(
			say(socket, "presence:set", { status: "away" }),
			(error) => (error as { problem?: { status: number } }).problem?.status === 503,
		);
	});

	test("uses it as soon as it comes: those who connected before are seen, and their followers hear it", async () => {
		const bens = await join(ben);
		await say(bens, "presence:subscribe", { profileIds: [ana.profileId, ben.profileId] });
		const heard = heardOf(bens, ana);
		await redis.start();
		await eventually(() => isReady("ok"), SOON);
		await eventually(() => assert.deepEqual(heard, ["online"]), SOON);
		assert.equal(await statusOf(ben), "online");
		await person(app.url, "Carol");
		assert.equal(await redisOf(app.broker)?.client.exists("limit:enumeration:127.0.0.1"), 1);
	});

	test("a flush is healed before anybody is told anything wrong for long", async () => {
		const [anas, bens] = [await join(ana), await join(ben)];
		await say(anas, "presence:subscribe", { profileIds: [ben.profileId] });
		const heard = heardOf(anas, ben);
		await redisOf(app.broker)?.client.flushall();
		await eventually(async () => assert.deepEqual([await statusOf(ana), await statusOf(ben)], ["online", "online"]), SOON);
		await say(bens, "presence:set", { status: "away" });
		await eventually(() => assert.equal(heard.at(-1), "away"), SOON);
	});

	test("it stalls, is killed and comes back while people talk: nothing fails, and presence is right again", async () => {
		const bens = await join(ben);
		for (const [away, back] of [
			[() => redis.pause(), () => redis.resume()],
			[() => redis.stop("SIGKILL"), () => redis.start()],
		] as [() => unknown, () => unknown][]) {
			await away();
			for (let turn = 0; turn < 10; turn++) await post(turn % 2 === 0 ? ana : ben, `${String(away)} ${turn}`);
			await eventually(() => isReady("degraded"));
			assert.equal(await statusOf(ben), "unknown");
			const login = await ana.post("/api/auth/login", { email: ana.email, password: ana.password });
			assert.equal(login.status, 200);
			await back();
			await eventually(() => assert.equal(redisStatus(app.broker), "ok"));
			await eventually(async () => assert.notEqual(await statusOf(ben), "unknown"), SOON);
		}
		for (const socket of open) if (socket !== bens) leave(socket);
		await eventually(async () => assert.deepEqual([await statusOf(ana), await statusOf(ben)], ["offline", "away"]), SOON);
	});

	test("a logout is heard at once while it is away", async () => {
		const socket = await join(ben);
		await redis.stop();
		const bye = new Promise((resolve) => socket.once("bye", resolve));
		assert.equal((await ben.post("/api/auth/logout")).status, 204);
		assert.deepEqual(await bye, { reason: "revoked" });
		assert.equal((await ben.get("/api/auth/me")).status, 401);
	});
});
