// `npm start`: one process with the nodes named in NODES. Says where it is ready; SIGTERM and Ctrl-C drain it.
import { constants } from "node:os";
import { showOperators } from "../mixins/operators.ts";
import { startApp } from "./app.ts";
import { readEnv } from "./env.ts";
import { whenOrphaned } from "./orphan.ts";
import { giveUp } from "./refusal.ts";

/** Ctrl-C reaches us once from the terminal and once through npm: within this time (ms) it is the same one. */
const SAME_KEYPRESS = 500;
/** Longer than this (ms) a stop may not take: then we end, and what was acknowledged is in the store anyway. */
const LONGEST_STOP = 9_500;

/** After SIGTERM the doors go on answering for so long (ms) while /ready is red: a balancer looks about once a second. */
const NOTICE = 1_000;

/** Until there is something to drain. The first process of a container is not ended by a signal for which it has no handler. */
const leave = (signal: NodeJS.Signals): never => process.exit(128 + constants.signals[signal]);

async function main(): Promise<void> {
	const env = readEnv();
	process.on("SIGTERM", leave);
	process.on("SIGINT", leave);
	const app = await startApp({ env });
	process.off("SIGTERM", leave);
	process.off("SIGINT", leave);
	let stoppingSince: number | undefined;
	const stop = (signal: NodeJS.Signals): void => {
		if (stoppingSince !== undefined) {
			if (signal === "SIGINT" && Date.now() - stoppingSince < SAME_KEYPRESS) return;
			process.exit(1);
		}
		stoppingSince = Date.now();
		setTimeout(() => process.exit(1), LONGEST_STOP).unref();
		void app.stop(signal === "SIGTERM" ? NOTICE : 0).then(() => process.exit(0));
	};
	process.on("SIGTERM", stop);
	process.on("SIGINT", stop);
	showOperators(app.broker, { leave: () => stop("SIGTERM") });
	whenOrphaned("start", () => stop("SIGTERM"));
	// Started by `npm run cluster`, which was killed: nobody would end this process.
	if (process.connected) process.on("disconnect", () => stop("SIGTERM"));
	if (env.NODE_ENV === "production") app.broker.getLogger("start").info("Reloop is ready.", { url: app.url, nodes: env.NODES });
	else console.log(app.url ? `Reloop is ready at ${app.url}` : `Reloop is ready: ${env.NODES.join(", ")}`);
}

await main().catch(giveUp);
