// The whole platform in this process, on a database of its own: for stories that need no killing.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { App, AppOptions } from "../../config/app.ts";
import { startApp } from "../../config/app.ts";
import { readEnv } from "../../config/env.ts";
import { showErrors } from "./errors.ts";
import { freshDatabase, TEST_SECRET_KEY } from "./database.ts";

export interface TestApp extends App {
	url: string;
}

/** What every app of this process gets besides: for stories that are told once more on another store. */
export const everyAppGets: Record<string, string> = {};

/** Every node with both doors on a free port; answers are held against their contracts. `environment` adds to the usual one. */
export async function startTestApp(
	environment: Record<string, string> = {},
	options: Pick<AppOptions, "connections"> = {},
): Promise<TestApp> {
	const given = { ...everyAppGets, ...environment };
	const [fresh, data] = await Promise.all([given.DATABASE_URL ? undefined : freshDatabase(), mkdtemp(join(tmpdir(), "reloop-test-"))]);
	const env = readEnv({
		NODE_ENV: "test",
		DATA_DIR: data,
		...(fresh ? { DATABASE_URL: fresh.ownerUrl } : {}),
		SECRET_KEY: TEST_SECRET_KEY,
		PORT: "0",
		RATE_LIMIT_FACTOR: "100000",
		LOG_LEVEL: "fatal",
		...given,
	});
	const app = await startApp({ env, checkAnswers: true, ...options });
	showErrors(app.broker);
	const leave = async () => {
		await app.stop();
		await fresh?.close();
		await rm(data, { recursive: true, force: true });
	};
	let leaving: Promise<void> | undefined;
	return {
		...app,
		url: app.url as string,
		// Safe to call twice, as an app's is: the server of its database may have ended with the first call.
		stop: () => {
			leaving ??= leave();
			return leaving;
		},
	};
}

/** One for a whole file, stopped after its tests: `const app = await testApp()`. (A hook would not do: those of a file run side by side.) */
export async function testApp(environment?: Record<string, string>): Promise<TestApp> {
	const app = await startTestApp(environment);
	after(() => app.stop());
	return app;
}
