// `npm run cluster`: the same code as many processes on this machine, over a NATS and a Redis found here and one embedded
// PostgreSQL; each of the three may be named by its variable instead. Ctrl-C drains all of it.
import { House } from "./cluster/house.ts";
import { planFor } from "./cluster/plan.ts";
import { livingCluster } from "./cluster/record.ts";
import { givenEnvironment, readEnv } from "./env.ts";
import { whenOrphaned } from "./orphan.ts";
import { giveUp, refusal } from "./refusal.ts";

/** Ctrl-C reaches us once from the terminal and once through npm: within this time (ms) it is the same one. */
const SAME_KEYPRESS = 500;

async function main(): Promise<void> {
	const given = givenEnvironment();
	// Checked as each process will check it; what is not named is started here.
	readEnv({ NATS_URL: "nats://127.0.0.1:4222", REDIS_URL: "redis://127.0.0.1", DATABASE_URL: "postgres://127.0.0.1/reloop", ...given });
	const { NATS_URL, ...single } = given;
	for (const name of Object.keys(single)) if (name.startsWith("NATS_")) delete single[name];
	const env = readEnv(single);
	if (env.PORT === 0) throw refusal("PORT must be above 0: the processes of a cluster have ports that follow each other.");
	const living = livingCluster(env.DATA_DIR);
	if (living) throw refusal(`A cluster runs already in ${env.DATA_DIR}: process ${living.pid}, at ${living.url}.`);

	const plan = planFor(env, given.SOCKET_PORT === undefined ? undefined : env.SOCKET_PORT);
	const pages = plan.filter(({ node }) => node === "api").map(({ port }) => `http://localhost:${port}`);
	const house = new House({
		env,
		natsUrl: NATS_URL,
		plan,
		environment: {
			...given,
			DATA_DIR: env.DATA_DIR,
			PUBLIC_URL: env.PUBLIC_URL,
			// A page from either HTTP door may speak with either realtime door.
			CORS_ORIGINS: [...new Set([...env.CORS_ORIGINS, ...pages])].join(","),
		},
		screen: process.stdout,
	});
	let stoppingSince: number | undefined;
	const stop = (signal: NodeJS.Signals): void => {
		if (stoppingSince !== undefined) {
			if (signal === "SIGINT" && Date.now() - stoppingSince < SAME_KEYPRESS) return;
			house.kill();
			process.exit(1);
		}
		stoppingSince = Date.now();
		void house.stop().then(() => process.exit(0), giveUp);
	};
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, stop);
	whenOrphaned("cluster", () => stop("SIGTERM"));
	try {
		await house.start();
	} catch (error) {
		// While it is being stopped, what does not come up is no news.
		if (stoppingSince !== undefined) return;
		stoppingSince = Date.now();
		await house.stop().catch(() => house.kill());
		throw error;
	}
}

await main().catch(giveUp);
