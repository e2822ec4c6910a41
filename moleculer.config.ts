// The broker of every process of Reloop: the one place of its options. Used by config/app.ts and by tools.
import type { BrokerOptions } from "moleculer";
import { contracts } from "./config/broker/contracts.ts";
import type { Env } from "./config/env.ts";

/** Seconds that work under way may take after SIGTERM; with what follows it stays below ten. */
const FINISH_WORK_MS = 6_000;

/** @param checkAnswers also hold every answer against its contract (tests) */
export function brokerOptions(env: Env, { checkAnswers = env.NODE_ENV === "test" } = {}): BrokerOptions {
	return {
		nodeID: `reloop-${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
		logger: { type: "Pino", options: { pino: { options: { base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` } } } },
		// Moleculer's own parts tell their life at `info`: of interest only when one looks for something.
		logLevel:
			env.LOG_LEVEL === "info"
				? { BROKER: "warn", REGISTRY: "warn", TRANSIT: "warn", CACHER: "warn", API: "warn", "**": "info" }
				: env.LOG_LEVEL,
		// Params and answers are checked by the contracts middleware.
		validator: false,
		middlewares: [contracts({ checkAnswers })],
		requestTimeout: 20_000,
		maxCallLevel: 20,
		tracking: { enabled: true, shutdownTimeout: FINISH_WORK_MS },
		// SIGTERM is ours: config/start.ts drains before the broker stops.
		skipProcessEventRegistration: true,
		metrics: { enabled: false },
		tracing: false,
	};
}
