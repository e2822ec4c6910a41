// The broker of every process of Reloop: the one place of its options. Used by config/app.ts and by tools.
import { hostname } from "node:os";
import type { BrokerOptions } from "moleculer";
import type { LogFn, Logger } from "pino";
import { calls } from "./config/broker/calls.ts";
import { contracts } from "./config/broker/contracts.ts";
import { NAMESPACE } from "./mixins/nats.ts";
import { sealsFor } from "./mixins/principal.ts";
import { Discoverer, HEARTBEAT } from "./mixins/transport/discoverer.ts";
import { NatsTransporter } from "./mixins/transport/transporter.ts";
import { versionGuard } from "./mixins/transport/version-guard.ts";
import type { Env } from "./config/env.ts";

/** For so long (ms) a process that has said that it stops still serves those who have not heard it. */
const STOP_DELAY = 300;

/** How processes find and call each other: over NATS, which also shares requests out among them. None where there is one process. */
function transport(env: Env): BrokerOptions {
	if (!env.NATS_URL) return {};
	return {
		namespace: NAMESPACE,
		transporter: new NatsTransporter(),
		disableBalancer: true,
		...HEARTBEAT,
		registry: { discoverer: new Discoverer(), stopDelay: STOP_DELAY },
		// A full queue is told at once: what waits longer than its caller does is wasted work.
		transit: { maxQueueSize: 50_000, serviceChangedDebounceTime: 100 } as NonNullable<BrokerOptions["transit"]>,
	};
}

/** Seconds that work under way may take after SIGTERM; with what follows it stays below ten. */
const FINISH_WORK_MS = 6_000;

/** What Moleculer says of each service at `info`: of interest only when one looks for something. */
const CHATTER = /^(Service '.*' (started|stopped)\.|Socket\.IO Websocket Gateway started\.)$/;

/**
 * Moleculer and we say a sentence first and what belongs to it after it; pino wants it the other way round and would drop
 * the rest. Of an error only what it says itself: a driver's may carry the values of a row.
 */
function logMethod(this: Logger, args: unknown[], method: LogFn): void {
	const [sentence, ...rest] = args;
	if (typeof sentence === "string" && this.level === "info" && CHATTER.test(sentence)) return;
	if (typeof sentence !== "string" || rest.length === 0) return method.apply(this, args as Parameters<LogFn>);
	const fields = rest.map((more) =>
		more instanceof Error
			? { error: plainError(more) }
			: typeof more === "object" && more !== null
				? Object.fromEntries(Object.entries(more).map(([name, value]) => [name, value instanceof Error ? plainError(value) : value]))
				: { more },
	);
	method.call(this, Object.assign({}, ...fields), sentence);
}

const plainError = (error: Error): object => ({ stack: error.stack, code: (error as { code?: unknown }).code });

/** What operators and logs call a process: in a container by the container's name, elsewhere by what it runs. Never the same twice. */
function nodeIdOf([node = "tool", ...others]: readonly string[]): string {
	const word = process.pid === 1 ? hostname() : others.length > 0 ? "reloop" : node;
	return `${word.replace(/[^A-Za-z0-9-]/g, "-")}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
}

/** @param checkAnswers also hold every answer against its contract (tests) */
export function brokerOptions(env: Env, { checkAnswers = env.NODE_ENV === "test" } = {}): BrokerOptions {
	return {
		nodeID: nodeIdOf(env.NODES),
		logger: {
			type: "Pino",
			options: { pino: { options: { base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, hooks: { logMethod } } } },
		},
		// Moleculer's own parts tell their life at `info`: of interest only when one looks for something.
		logLevel:
			env.LOG_LEVEL === "info"
				? { BROKER: "warn", REGISTRY: "warn", TRANSIT: "warn", CACHER: "warn", API: "warn", "**": "info" }
				: env.LOG_LEVEL,
		// Params and answers are checked by the contracts middleware.
		validator: false,
		middlewares: [versionGuard(), calls(), contracts({ checkAnswers, seals: sealsFor(env.SECRET_KEY) })],
		...transport(env),
		requestTimeout: 20_000,
		maxCallLevel: 20,
		tracking: { enabled: true, shutdownTimeout: FINISH_WORK_MS },
		// SIGTERM is ours: config/start.ts drains before the broker stops.
		skipProcessEventRegistration: true,
		metrics: { enabled: false },
		tracing: false,
	};
}
