// Limits that several processes count together in a real Redis, and alone while it is away; what of Redis a start finds wrong.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import { limiterOf, makeLimiter } from "../../mixins/limits.ts";
import type { Verdict } from "../../mixins/limits.ts";
import { checkRedis } from "../../mixins/redis/check.ts";
import { redisOf, redisStatus } from "../../mixins/redis/redis.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import { eventually } from "../support/eventually.ts";
import { needs, redisServer, unusedPort } from "../support/servers.ts";
import type { Server } from "../support/servers.ts";

const brokers: ServiceBroker[] = [];
/** A process as far as Redis is concerned. */
async function processOn(url: string): Promise<ServiceBroker> {
	const env = readEnv({
		NODE_ENV: "test",
		DATA_DIR: "/nonexistent",
		SECRET_KEY: Buffer.alloc(32).toString("base64"),
		LOG_LEVEL: "fatal",
		REDIS_URL: url,
	});
	const broker = new ServiceBroker(brokerOptions(env));
	provideSettings(broker, env);
	redisOf(broker);
	brokers.push(broker);
	await broker.start();
	return broker;
}
const answering = (broker: ServiceBroker, status = "ok") => eventually(() => assert.equal(redisStatus(broker), status));

describe("limits on Redis", { skip: needs("redis-server") }, () => {
	let redis: Server;
	let here: ServiceBroker;
	let there: ServiceBroker;
	before(async () => {
		redis = await redisServer();
		[here, there] = await Promise.all([processOn(redis.url), processOn(redis.url)]);
		await Promise.all([answering(here), answering(there)]);
	});
	after(async () => {
		await Promise.all(brokers.map((broker) => broker.stop()));
		await redis?.stop();
	});

	test("are one for all processes, and say the same as those in memory", async () => {
		const quota = { units: 10, seconds: 100 };
		const own = makeLimiter(quota);
		const [mine, yours] = [limiterOf(here, "one", quota), limiterOf(there, "one", quota)];
		for (let turn = 0; turn < 10; turn++) {
			const given = await (turn % 2 === 0 ? mine : yours).take("ana");
			const { resetSeconds, ...expected } = own.take("ana");
			assert.deepEqual({ ...given, resetSeconds: undefined }, { ...expected, resetSeconds: undefined });
			assert.ok(Math.abs(given.resetSeconds - resetSeconds) <= 1);
		}
		assert.deepEqual(await mine.take("ana"), { allowed: false, remaining: 0, resetSeconds: 100, retrySeconds: 10 });
		assert.equal((await yours.take("ana")).allowed, false);
		assert.equal((await yours.take("ben")).remaining, 9);
		assert.equal((await limiterOf(here, "another", quota).take("ana")).remaining, 9);
	});

	test("give out exactly what there is to many who ask at once", async () => {
		const quota = { units: 100, seconds: 1_000 };
		const limiters = [limiterOf(here, "crowd", quota), limiterOf(there, "crowd", quota)];
		const verdicts = await Promise.all(Array.from({ length: 300 }, (_, index) => limiters[index % 2]?.take("all") as Promise<Verdict>));
		assert.equal(verdicts.filter(({ allowed }) => allowed).length, 100);
	});

	test("hold in a factor of a hundred thousand, and leave nothing behind when they are over", async () => {
		const fast = limiterOf(here, "fast", { units: 120_000_000, seconds: 60 });
		for (let turn = 0; turn < 500; turn++) assert.ok((await fast.take("ana")).allowed);
		const short = limiterOf(here, "short", { units: 10, seconds: 1 });
		await short.take("ana");
		const client = redisOf(here)?.client;
		await eventually(async () => assert.equal(await client?.exists("limit:short:ana"), 0));
	});

	test("are counted by each process alone while Redis is away, stalls or is restarted; never with an error", async () => {
		const quota = { units: 3, seconds: 600 };
		const [mine, yours] = [limiterOf(here, "alone", quota), limiterOf(there, "alone", quota)];
		const left = async (limiter: typeof mine) => (await limiter.take("ana")).remaining;
		assert.equal(await left(mine), 2);
		assert.equal(await left(yours), 1);
		redis.pause();
		const began = performance.now();
		assert.equal(await left(mine), 2, "from memory");
		assert.ok(performance.now() - began < 1_000, "a Redis that stalls is not waited for");
		const again = performance.now();
		assert.equal(await left(mine), 1);
		assert.ok(performance.now() - again < 50, "nor asked again");
		assert.equal(redisStatus(here), "degraded");
		redis.resume();
		await answering(here);
		assert.equal(await left(mine), 0, "from Redis again");

		await redis.stop();
		await Promise.all([answering(here, "degraded"), answering(there, "degraded")]);
		assert.equal(await left(yours), 2);
		await redis.start();
		await Promise.all([answering(here), answering(there)]);
		await redisOf(here)?.client.flushall();
		assert.equal(await left(yours), 2, "a flush forgives everybody");
		assert.equal(await left(mine), 1);
	});
});

describe("a Redis without memory left", { skip: needs("redis-server") }, () => {
	test("counts as trouble, and limits go on in memory", async () => {
		const full = await redisServer();
		const broker = await processOn(full.url);
		await answering(broker);
		const client = redisOf(broker)?.client;
		await client?.config("SET", "maxmemory", "1");
		const limiter = limiterOf(broker, "full", { units: 3, seconds: 600 });
		assert.deepEqual([(await limiter.take("ana")).remaining, (await limiter.take("ana")).remaining], [2, 1]);
		assert.equal(redisStatus(broker), "degraded");
		await client?.config("SET", "maxmemory", "0");
		await answering(broker);
		assert.equal((await limiter.take("ana")).remaining, 2);
		await broker.stop();
		await full.stop();
	});
});

describe("a start", { skip: needs("redis-server") }, () => {
	let redis: Server;
	before(async () => {
		redis = await redisServer({ password: "secret" });
	});
	after(async () => redis?.stop());
	const refused = (url: string) =>
		assert.rejects(checkRedis({ REDIS_URL: url }), (error: Error & { sentence?: true }) => {
			assert.equal(error.sentence, true);
			assert.match(error.message, /REDIS_URL/);
			assert.doesNotMatch(error.message, /wrong/);
			return true;
		});

	test("goes on with a Redis that answers, without one, and with one that is away", async () => {
		assert.equal(await checkRedis({ REDIS_URL: redis.url }), true);
		assert.equal(await checkRedis({}), true);
		assert.equal(await checkRedis({ REDIS_URL: `redis://127.0.0.1:${await unusedPort()}` }), false);
		redis.pause();
		assert.equal(await checkRedis({ REDIS_URL: redis.url }), false);
		redis.resume();
	});

	test("is refused with a sentence where the URL has no password, a wrong one, or a database that is not there", async () => {
		await refused(`redis://127.0.0.1:${redis.port}`);
		await refused(`redis://:wrong@127.0.0.1:${redis.port}`);
		await refused(`redis://nobody:wrong@127.0.0.1:${redis.port}`);
		await refused(redis.url.replace(/\/\d*$/, "/999"));
	});

	test("a process that started without Redis uses it when it comes", async () => {
		const late = await redisServer();
		await late.stop();
		const broker = await processOn(late.url);
		assert.equal(redisStatus(broker), "degraded");
		const limiter = limiterOf(broker, "late", { units: 5, seconds: 600 });
		assert.equal((await limiter.take("ana")).remaining, 4);
		await late.start();
		await answering(broker);
		assert.equal((await limiter.take("ana")).remaining, 4);
		await broker.stop();
		await late.stop();
	});
});
