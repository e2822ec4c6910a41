// Doors that can reach nobody but Redis: they verify with the keys that are kept there, and hear there who was signed out.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, describe, test } from "node:test";
import { decodeJwt, exportJWK, generateKeyPair } from "jose";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import { cacheOf } from "../../mixins/cache.ts";
import { callAction } from "../../mixins/call.ts";
import { database } from "../../mixins/postgres.ts";
import { redisOf } from "../../mixins/redis/redis.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { ALGORITHM } from "../../mixins/token/claims.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import auth from "../../services/identity/auth.service.ts";
import identity from "../../services/identity/identity.service.ts";
import type { FreshDatabase } from "../support/database.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import type { Server } from "../support/servers.ts";
import { needs, redisServer } from "../support/servers.ts";

describe("tokens on Redis", { skip: needs("redis-server") }, () => {
	let db: FreshDatabase;
	let redis: Server;
	let issuer: ServiceBroker;
	const doors: ServiceBroker[] = [];

	async function start(services: (typeof identity)[]): Promise<ServiceBroker> {
		const env = readEnv({
			NODE_ENV: "test",
			DATA_DIR: "/nonexistent",
			SECRET_KEY: TEST_SECRET_KEY,
			LOG_LEVEL: "fatal",
			REDIS_URL: redis.url,
		});
		const broker = new ServiceBroker(brokerOptions(env));
		provideSettings(broker, env);
		for (const schema of services) broker.createService(schema);
		tokens(broker);
		await broker.start();
		await eventually(() => assert.ok(redisOf(broker)?.usable));
		return broker;
	}
	/** Knows no identity node: what it knows comes from Redis. */
	async function door(): Promise<ServiceBroker> {
		const broker = await start([]);
		doors.push(broker);
		return broker;
	}
	before(async () => {
		[db, redis] = await Promise.all([testDatabase(["identity"]), redisServer()]);
		issuer = await start([identity, auth]);
	});
	afterEach(async () => {
		await Promise.all(doors.splice(0).map((broker) => broker.stop()));
	});
	after(async () => {
		await issuer?.stop();
		await redis?.stop();
		await db?.close();
	});

	async function person(): Promise<{ token: string; sessionId: string }> {
		const meta = { address: "203.0.113.1", userAgent: "phone/1" };
		const params = { email: `${randomUUID()}@example.org`, password: "three green bottles", displayName: "Ana" };
		const { tokens: made } = await callAction(issuer, "auth.register", params, { meta });
		return { token: made.accessToken, sessionId: decodeJwt(made.accessToken).sid as string };
	}
	const logout = async (token: string) =>
		callAction(issuer, "auth.logout", {}, { meta: { principal: await tokens(issuer).verify(token), address: "", userAgent: "" } });
	const refused = (broker: ServiceBroker, token: string) =>
		assert.rejects(tokens(broker).verify(token), (error) => isProblem(error, "invalid-token"));

	test("a door that starts while the identity node is away verifies, and hears of a logout within a second or so", async () => {
		const [ana, ben] = [await person(), await person()];
		await tokens(issuer).verify(ana.token);
		const broker = await door();
		const heard: string[] = [];
		tokens(broker).onRevoked((sessionId) => heard.push(sessionId));
		assert.equal((await tokens(broker).verify(ana.token)).sessionId, ana.sessionId);
		await tokens(broker).verify(ben.token);
		await logout(ana.token);
		await eventually(() => assert.deepEqual(heard, [ana.sessionId]), 3_000);
		await refused(broker, ana.token);
		await tokens(broker).verify(ben.token);
	});

	test("a session that ended without a word, as by a process that died, is copied all the same", async () => {
		const ana = await person();
		await tokens(issuer).verify(ana.token);
		const broker = await door();
		await tokens(broker).verify(ana.token);
		await database("identity").query("update sessions set ended_at = $2 where id = $1", [ana.sessionId, new Date()]);
		await eventually(() => refused(broker, ana.token), 3_000);
	});

	test("a profile that was deleted without a word is copied too: its tokens are refused, whatever session they are of", async () => {
		const [ana, ben] = [await person(), await person()];
		const { profileId } = await tokens(issuer).verify(ana.token);
		const broker = await door();
		for (const { token } of [ana, ben]) await tokens(broker).verify(token);
		await database("identity").query("insert into deleted_profiles (id, deleted_at) values ($1, $2)", [profileId, new Date()]);
		await eventually(() => refused(broker, ana.token), 3_000);
		await tokens(broker).verify(ben.token);
	});

	test("after a flush, and after a restart without data, doors know again who was signed out", async () => {
		const [ana, ben] = [await person(), await person()];
		await tokens(issuer).verify(ben.token);
		await logout(ana.token);
		for (const lose of [() => redisOf(issuer)?.client.flushall(), () => redis.wipe()]) {
			await lose();
			await eventually(async () => assert.equal(await redisOf(issuer)?.client.exists("revoked:copied"), 1));
			const broker = await door();
			const [keys] = [await callAction(issuer, "identity.jwks", {})];
			await cacheOf(issuer).set("identity.jwks", keys, 60);
			await refused(broker, ana.token);
			await tokens(broker).verify(ben.token);
		}
	});

	test("a door that knows neither keys nor who was signed out lets nobody in", async () => {
		const ana = await person();
		const broker = await door();
		await redis.stop();
		await assert.rejects(tokens(broker).verify(ana.token), (error) => !isProblem(error, "invalid-token"));
		await redis.start();
		await eventually(() => tokens(broker).verify(ana.token));
	});

	test("what somebody else writes into Redis makes no keys", async () => {
		const broker = await door();
		const { publicKey } = await generateKeyPair(ALGORITHM);
		const forged = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "forged", alg: ALGORITHM, use: "sig" }] });
		const client = redisOf(broker)?.client;
		for (const text of [forged, `${"x".repeat(32)}${forged}`, ""]) {
			await client?.set("cache:identity.jwks", text);
			assert.equal(await cacheOf(broker).get("identity.jwks"), undefined);
		}
		await cacheOf(broker).set("another", { keys: [] }, 60);
		await client?.rename("cache:another", "cache:identity.jwks");
		assert.equal(await cacheOf(broker).get("identity.jwks"), undefined, "what was kept under another name is not believed either");
		await cacheOf(issuer).set("greeting", "hello", 60);
		assert.equal(await cacheOf(broker).get("greeting"), "hello");
	});
});
