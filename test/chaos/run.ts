/**
 * `npm run chaos -- [--minutes n] [--seed n] [--mongo]`: a cluster on real servers, people on it, and something done to it, at
 * random, for as long as asked. Ends with a guarantee report; exit code 1 when a guarantee was broken. Ctrl-C ends it early,
 * with the report. The same seed chooses the same faults.
 */
import { parseArgs } from "node:util";
import { Cluster } from "../cluster/support/cluster.ts";
import { faults } from "../cluster/support/faults.ts";
import { Trial } from "../cluster/support/trial.ts";
import { needs } from "../support/servers.ts";
import { GuaranteeReport } from "./report.ts";

/** Tokens of the people last longer than any run. */
const LONG = String(30 * 86_400);

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

interface Plan {
	names: string[];
	/** Both at once, or one after the other. */
	together: boolean;
}

/** One to three faults in turn, or one of a process and one of a server at once. */
function plan(random: () => number, mongo: boolean): Plan {
	const names = Object.keys(faults).filter((name) => mongo || !name.startsWith("MongoDB"));
	const oneOf = (some: string[]): string => some[Math.floor(random() * some.length)] as string;
	const to = (what: string) => names.filter((name) => faults[name]?.to === what);
	if (random() < 1 / 3) return { names: [oneOf(to("process")), oneOf(to("server"))], together: true };
	return { names: Array.from({ length: 1 + Math.floor(random() * 3) }, () => oneOf(names)), together: false };
}

async function happen({ names, together }: Plan, cluster: Cluster, random: () => number): Promise<void> {
	if (together) await Promise.all(names.map((name) => faults[name]?.run(cluster, random)));
	else for (const name of names) await faults[name]?.run(cluster, random);
}

async function run(minutes: number, seed: number, mongo: boolean): Promise<boolean> {
	console.log(`chaos for ${minutes} minutes, seed ${seed}${mongo ? ", messages in MongoDB" : ""}`);
	const cluster = await Cluster.start({ mongo, environment: { TTL_ACCESS: LONG } });
	const report = new GuaranteeReport();
	const until = performance.now() + minutes * 60_000;
	let interrupted = false;
	process.once("SIGINT", () => {
		interrupted = true;
		console.log("ending after this round");
	});
	try {
		const trial = await Trial.on(cluster);
		const random = randomOf(seed);
		for (let round = 1; performance.now() < until && !interrupted; round++) {
			const planned = plan(random, mongo);
			const title = planned.names.join(planned.together ? " and at once " : ", then ");
			try {
				const phase = await trial.phase(title, () => happen(planned, cluster, random));
				console.log(report.add(round, phase, { graceful: planned.names.every((name) => faults[name]?.graceful) }));
			} catch (error) {
				// What is not served again, or does not start again, is a broken promise too; what follows would only repeat it.
				console.log(report.failed(round, title, error));
				console.log(cluster.output());
				break;
			}
		}
	} finally {
		console.log(report.text());
		await cluster.stop();
	}
	return report.kept;
}

const { values } = parseArgs({
	options: { minutes: { type: "string", default: "5" }, seed: { type: "string" }, mongo: { type: "boolean", default: false } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const missing = needs("nats-server", "redis-server", "postgres", ...(values.mongo ? ["mongod"] : []));
if (!(minutes > 0) || !Number.isInteger(seed)) {
	console.error("npm run chaos -- [--minutes n] [--seed n] [--mongo]: minutes above 0, a whole number as seed.");
	process.exit(2);
}
if (missing) {
	console.error(`Chaos needs real servers; ${missing}.`);
	process.exit(1);
}
process.exit((await run(minutes, seed, values.mongo)) ? 0 : 1);
