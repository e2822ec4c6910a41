// `npm run bench -- facts`: a fact from its commit to a socket, and how many a second. Facts are written into the outbox of the
// gamification node as it writes them; the presence node hears them, numbers them in the rooms of their profiles, and the socket
// node shows them there. Once with each of these nodes as a process over NATS, once with all in one process.
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";
import { startEmbedded } from "../config/embedded-postgres.ts";
import { migrateAll } from "../config/migrations.ts";
import { natsServer, redisServer, unusedPort } from "../test/support/servers.ts";
import type { Child } from "./support/children.ts";
import { startPlatform, withDirectory } from "./support/children.ts";
import { alternate, median, ms, percentile, ratioLine } from "./support/figures.ts";
import type { BenchPerson } from "./support/people.ts";
import { register } from "./support/people.ts";

/** Facts one by one, each after the one before has arrived and a while has passed: as on a platform where little happens. */
const ALONE = 150;
const WHILE_MS = 60;
/** Facts at once, told in portions of a hundred by whoever earns: as fast as they can be written. */
const MANY = 20_000;
const TOLD_AT_ONCE = 100;
const PROFILES = 1_000;

interface Round {
	/** From the answer to the commit until the frame at the socket, in ms. */
	p50: number;
	p99: number;
	/** Facts a second from the first commit until the last is handled. */
	rate: number;
}

interface Contender {
	sql: pg.Client;
	socket: Socket;
	me: string;
	stop(): Promise<void>;
}

const DOORS = "api,identity,groups";
const OWN_PROCESSES = ["socket", "gamification", "presence"];

/** Writes facts of the last hour's awards, one for each profile given. */
const tell = (sql: pg.Client, profiles: string[]) =>
	sql.query(
		`insert into gamification.outbox (fact_id, type, version, aggregate, at, payload)
		select gen_random_uuid(), 'gamification.points.awarded', 1, profile, now(), json_build_object(
			'profileId', profile, 'currency', 'xp', 'amount', 5, 'reason', 'message-posted', 'source', gen_random_uuid(), 'total', 5)
		from unnest($1::text[]) as profile`,
		[profiles],
	);

async function alone({ sql, socket, me }: Contender): Promise<number[]> {
	const waits: number[] = [];
	for (let count = 0; count < ALONE; count++) {
		const { promise: shown, resolve } = Promise.withResolvers<void>();
		socket.once("events", () => resolve());
		await tell(sql, [me]);
		const committed = performance.now();
		await shown;
		waits.push(performance.now() - committed);
		await pause(Math.random() * WHILE_MS);
	}
	return waits;
}

async function many({ sql }: Contender): Promise<number> {
	const profiles = (await sql.query<{ id: string }>("select gen_random_uuid() as id from generate_series(1, $1)", [PROFILES])).rows;
	const handled = async (): Promise<number> =>
		(await sql.query<{ count: number }>("select count(*)::int as count from presence.inbox where handled_at is not null")).rows[0]?.count ??
		0;
	const before = await handled();
	const began = performance.now();
	for (let told = 0; told < MANY; told += TOLD_AT_ONCE) {
		const from = told % PROFILES;
		await tell(
			sql,
			profiles.slice(from, from + TOLD_AT_ONCE).map(({ id }) => id),
		);
	}
	while ((await handled()) < before + MANY) await pause(20);
	return MANY / ((performance.now() - began) / 1000);
}

async function contender(ownerUrl: string, api: Child, door: Child, stops: (() => Promise<void>)[]): Promise<Contender> {
	const [me] = (await register(api.url, 1)) as [BenchPerson];
	const socket = io(door.url, { transports: ["websocket"], auth: { token: me.token }, forceNew: true });
	await new Promise<void>((resolve, reject) => {
		socket.once("connect", resolve);
		socket.once("connect_error", reject);
	});
	const sql = new pg.Client({ connectionString: ownerUrl });
	await sql.connect();
	return {
		sql,
		socket,
		me: me.profileId,
		async stop() {
			socket.disconnect();
			await sql.end();
			for (const stop of stops.reverse()) await stop();
		},
	};
}

/** A database of its own for each, with default durability: both write all they are told. */
async function inProcesses(directory: string): Promise<Contender> {
	const database = await startEmbedded(`${directory}/cluster`);
	const nats = await natsServer();
	const redis = await redisServer();
	const stops = [() => database.stop(), () => nats.stop(), () => redis.stop()];
	const secretKey = randomBytes(32).toString("base64");
	await migrateAll({ ownerUrl: database.ownerUrl, secretKey }, "up");
	const environment = {
		DATABASE_URL: database.ownerUrl,
		NATS_URL: nats.url,
		REDIS_URL: redis.url,
		SECRET_KEY: secretKey,
		PUBLIC_URL: "http://localhost:3000",
	};
	const start = async (nodes: string): Promise<Child> => {
		const port = String(await unusedPort());
		const child = await startPlatform(directory, { ...environment, NODES: nodes, PORT: port, SOCKET_PORT: port });
		stops.push(child.stop);
		return child;
	};
	const api = await start(DOORS);
	const [door] = await Promise.all(OWN_PROCESSES.map(start));
	return contender(database.ownerUrl, api, door as Child, stops);
}

async function inOneProcess(directory: string): Promise<Contender> {
	const database = await startEmbedded(`${directory}/one`);
	const all = await startPlatform(directory, { DATABASE_URL: database.ownerUrl });
	return contender(database.ownerUrl, all, all, [() => database.stop(), all.stop]);
}

export async function facts(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const contenders: Record<string, Contender> = {
			"over NATS": await inProcesses(directory),
			"one process": await inOneProcess(directory),
		};
		try {
			const round = async (contender: Contender): Promise<Round> => {
				const waits = await alone(contender);
				return { p50: percentile(waits, 0.5), p99: percentile(waits, 0.99), rate: await many(contender) };
			};
			const describe = ({ p50, p99, rate }: Round) =>
				`commit → consumer → socket p50 ${ms(p50)}, p99 ${ms(p99)}; ${Math.round(rate)} facts/s sustained`;
			for (const each of Object.values(contenders)) await alone(each);
			const results = await alternate(
				rounds,
				Object.fromEntries(Object.entries(contenders).map(([name, each]) => [name, () => round(each)])),
				(name, result) => console.log(`  ${name}: ${describe(result)}`),
			);
			const of = (name: string, figure: keyof Round) => median((results[name] ?? []).map((result) => result[figure]));
			for (const name of Object.keys(contenders))
				console.log(`  median ${name}: ${describe({ p50: of(name, "p50"), p99: of(name, "p99"), rate: of(name, "rate") })}`);
			console.log(ratioLine("facts", of("over NATS", "rate"), of("one process", "rate"), ["over NATS", "one process"]));
		} finally {
			for (const each of Object.values(contenders)) await each.stop();
		}
	});
}
