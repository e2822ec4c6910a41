// One process of Reloop from nothing to ready, and back: database, migrations, broker, nodes, door.
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { ServiceSchema } from "moleculer";
import { ServiceBroker } from "moleculer";
import { door } from "../mixins/door.ts";
import { drainAll } from "../mixins/drain.ts";
import { answerProbes } from "../mixins/health-door.ts";
import { operatorsService } from "../mixins/operators.ts";
import { metricsService } from "../mixins/metrics.ts";
import { checkJobs } from "../mixins/jobs/index.ts";
import { checkMongo } from "../mixins/mongo/check.ts";
import { closeNats, connectToNats, natsOf, provideNats } from "../mixins/nats.ts";
import { checkParts } from "../mixins/parts.ts";
import type { DatabaseOptions } from "../mixins/postgres.ts";
import { closeDatabases, configureDatabases } from "../mixins/postgres.ts";
import { checkRedis } from "../mixins/redis/check.ts";
import { registryOf } from "../mixins/registry.ts";
import { provideSettings } from "../mixins/settings.ts";
import { brokerOptions } from "../moleculer.config.ts";
import type { Databases } from "./databases.ts";
import { openMigratedDatabases } from "./databases.ts";
import type { Env } from "./env.ts";

const SERVICES = join(import.meta.dirname, "..", "services");
/** How long open requests may take to end once sockets were told to go, in ms. */
const CLOSE_GRACE_MS = 3_000;
/** Where notice is given, a connection that was open when the listening ended may be used for so long (ms). */
const IDLE_GRACE_MS = 1_500;

/** So long (ms) a start waits for servers that may start after us, as in Kubernetes. */
const PATIENCE_MS = 60_000;

export interface App {
	broker: ServiceBroker;
	/** Where the process is heard: its doors, or, without one, /live and /ready. Null for a tool. */
	url: string | null;
	/**
	 * Drains and stops everything that this process started. Safe to call twice. For `noticeMs` it goes on answering while
	 * it says that it is not ready, so that whoever sends requests here sees it and sends them elsewhere.
	 */
	stop(noticeMs?: number): Promise<void>;
}

export interface AppOptions {
	env: Env;
	/** Without doors and background work: for tools that only call actions, beside a running Reloop or without one. */
	tool?: boolean;
	/** False for a tool that runs no node and looks into no database: it works while they are away. */
	data?: boolean;
	checkAnswers?: boolean;
	/** How few connections a node may have, and how long it waits for one; as usual unless said. */
	connections?: Pick<DatabaseOptions, "poolSize" | "waitMs">;
}

/** The services of a node: every `*.service.ts` in its folder. */
async function servicesOf(node: string): Promise<ServiceSchema[]> {
	const files = await readdir(join(SERVICES, node));
	const load = (file: string): Promise<{ default: ServiceSchema }> => import(pathToFileURL(join(SERVICES, node, file)).href);
	// Loaded by a service that names them; where none does, the start is to know of them (checkJobs).
	if (files.includes("jobs.ts")) await load("jobs.ts");
	const services = files.filter((file) => file.endsWith(".service.ts")).sort();
	return (await Promise.all(services.map(load))).map((file) => file.default);
}

const DOORS = ["api", "socket"];

/** A port nobody listens on: for PORT=0, since links and origins need to know it before the door opens. */
async function freePort(host: string): Promise<number> {
	const probe = createServer().listen(0, host);
	await once(probe, "listening");
	const { port } = probe.address() as AddressInfo;
	probe.close();
	await once(probe, "close");
	return port;
}

async function withPort(env: Env): Promise<Env> {
	if (env.PORT !== 0) return env;
	const PORT = await freePort(env.HOST);
	return { ...env, PORT, PUBLIC_URL: env.PUBLIC_URL === "http://localhost:0" ? `http://localhost:${PORT}` : env.PUBLIC_URL };
}

/** Whoever uses a tool can try again, and reads what it says apart from its answer. */
const TOOL_PATIENCE_MS = 3_000;

export async function startApp({ env: given, tool = false, data = true, checkAnswers, connections }: AppOptions): Promise<App> {
	const say = (sentence: string): void => (tool ? console.error(sentence) : console.log(sentence));
	const patienceMs = tool ? TOOL_PATIENCE_MS : PATIENCE_MS;
	const env = await withPort(given);
	const nodes = env.NODES.filter((node) => !tool || !DOORS.includes(node));
	// Loading the code takes as long as starting the database: side by side. Its failure is heard where it is awaited.
	const schemas = Promise.all(nodes.map(servicesOf));
	schemas.catch(() => {});
	let databases: Databases | undefined;
	let broker: ServiceBroker | undefined;
	try {
		if (env.NODES.includes("groups")) await checkMongo(env, PATIENCE_MS, say);
		if (!(await checkRedis(env))) say("REDIS_URL: no server answers; starting without it.");
		databases = data ? await openMigratedDatabases(env, say, { patienceMs }) : undefined;
		if (databases) configureDatabases({ ...databases, ...connections });

		const nats = env.NATS_URL ? await connectToNats(env, env.NODES.join(" "), patienceMs, say) : undefined;
		const made = new ServiceBroker({
			...brokerOptions(env, { checkAnswers }),
			// The broker's own stop ends with it, so that tools that stop a broker (the REPL) leave nothing behind.
			stopped: () => release(databases, made),
		});
		broker = made;
		if (nats) provideNats(broker, nats);
		provideSettings(broker, env, { tool });
		for (const schema of (await schemas).flat()) broker.createService(schema);
		if (!tool) broker.createService(operatorsService(broker));
		if (!tool && env.METRICS_PORT !== undefined) broker.createService(metricsService(broker));
		if (!tool && !nodes.includes("api")) answerProbes(broker);
		checkJobs(broker);
		await checkParts(broker);
		await broker.start();
		// Ready means that the others know it, not that they will in a moment.
		if (nats) await announce(broker);
		const loneSocket = nodes.includes("socket") && !nodes.includes("api");
		const port = tool ? null : await door(broker).listen(env.HOST, loneSocket ? env.SOCKET_PORT : env.PORT);
		return { broker, url: port === null ? null : `http://localhost:${port}`, stop: stopOnce(broker) };
	} catch (error) {
		await broker?.stop().catch(() => {});
		await release(databases, broker);
		throw error;
	}
}

async function announce(broker: ServiceBroker): Promise<void> {
	await registryOf(broker).discoverer.sendLocalNodeInfo();
	await natsOf(broker)?.connection.flush();
}

async function release(databases: Databases | undefined, broker: ServiceBroker | undefined): Promise<void> {
	if (broker) await closeNats(broker);
	await closeDatabases();
	await databases?.stop();
}

/** Not ready, sockets told to go, requests ended, services stopped, databases closed: in this order, each step whatever the one before did. */
function stopOnce(broker: ServiceBroker): App["stop"] {
	let stopping: Promise<void> | undefined;
	const stop = async (noticeMs: number) => {
		const steps = [
			async () => door(broker).drain(),
			() => drainAll(broker),
			() => pause(noticeMs),
			() => door(broker).close(CLOSE_GRACE_MS, noticeMs > 0 ? IDLE_GRACE_MS : 0),
			() => broker.stop(),
		];
		for (const step of steps) {
			try {
				await step();
			} catch (error) {
				broker.logger.error("A step of stopping failed.", error);
			}
		}
	};
	return (noticeMs = 0) => {
		stopping ??= stop(noticeMs);
		return stopping;
	};
}
