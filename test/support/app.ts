// The whole platform in this process, on a database of its own: for stories that need no killing.
import { rm } from "node:fs/promises";
import type { App } from "../../config/app.ts";
import { startApp } from "../../config/app.ts";
import { readEnv } from "../../config/env.ts";
import { externalUrl } from "./database.ts";
import { dataDirectory } from "./process.ts";

export interface TestApp extends App {
	url: string;
}

/** What every app of this process gets besides: for stories that are told once more on another store. */
export const everyAppGets: Record<string, string> = {};

/** Every node with both doors on a free port; answers are held against their contracts. `environment` adds to the usual one. */
export async function startTestApp(environment: Record<string, string> = {}): Promise<TestApp> {
	const data = await dataDirectory();
	const env = readEnv({
		NODE_ENV: "test",
		...data.environment,
		PORT: "0",
		RATE_LIMIT_FACTOR: "100000",
		LOG_LEVEL: "fatal",
		...everyAppGets,
		...environment,
	});
	const app = await startApp({ env, checkAnswers: true });
	return {
		...app,
		url: app.url as string,
		stop: async () => {
			await app.stop();
			// An embedded server went with the app.
			await (externalUrl ? data.remove() : rm(data.path, { recursive: true, force: true }));
		},
	};
}
