// Why a test has failed: what the broker under it has logged as an error. Tests let no app log (LOG_LEVEL=fatal), since many
// provoke errors; what was logged is kept instead, and shown where the test during which it came does not pass.
import { afterEach } from "node:test";
import { inspect } from "node:util";
import type { ServiceBroker } from "moleculer";

/** What Moleculer has and its types do not name. */
interface Logging {
	loggerFactory: { cache: Map<string, ServiceBroker["logger"]> };
}

let logged: string[] = [];

/** Has this broker's errors shown with a test that fails. To be called once its services are loaded. */
export function showErrors(broker: ServiceBroker): void {
	// Loggers of services and of the broker are made once and kept here; Moleculer's own hook must be there before them.
	for (const logger of (broker as ServiceBroker & Logging).loggerFactory.cache.values()) {
		for (const level of ["error", "fatal"] as const) {
			const before = logger[level];
			logger[level] = (...words: unknown[]) => {
				logged.push(words.map((word) => (typeof word === "string" ? word : inspect(word, { depth: 4 }))).join(" "));
				before(...words);
			};
		}
	}
}

function show(): void {
	for (const words of logged) process.stderr.write(`logged meanwhile: ${words}\n`);
	logged = [];
}

afterEach((test) => {
	if ("passed" in test && test.passed) logged = [];
	else show();
});
// What was logged while a hook was running that failed, or the file itself.
process.on("uncaughtExceptionMonitor", show);
process.on("exit", (code) => {
	if (code !== 0) show();
});
