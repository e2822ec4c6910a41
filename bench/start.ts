// `npm run bench -- start`: from the spawn of Node to the line that says it is ready, on a new data directory and on the
// same one again; and what the process keeps in memory then.
import { setTimeout as pause } from "node:timers/promises";
import { residentMemory, startPlatform, withDirectory } from "./support/children.ts";
import { median } from "./support/figures.ts";

/** Memory is read this long after ready (ms): by then the start's leftovers show, and no load has come. */
const SETTLE_MS = 1_000;

interface Start {
	seconds: number;
	megabytes: number;
}

async function once(directory: string): Promise<Start> {
	const platform = await startPlatform(directory);
	try {
		await pause(SETTLE_MS);
		return { seconds: platform.readyAfter / 1000, megabytes: await residentMemory(platform.pid) };
	} finally {
		await platform.stop();
	}
}

const describe = ({ seconds, megabytes }: Start): string => `ready after ${seconds.toFixed(2)} s, resident ${Math.round(megabytes)} MB`;

export async function start(rounds: number): Promise<void> {
	const fresh: Start[] = [];
	const old: Start[] = [];
	for (let round = 1; round <= rounds; round++) {
		await withDirectory(async (directory) => {
			fresh.push(await once(directory));
			old.push(await once(directory));
		});
		console.log(`  round ${round}: new ${describe(fresh.at(-1) as Start)}; old ${describe(old.at(-1) as Start)}`);
	}
	const seconds = (starts: Start[]) => median(starts.map((each) => each.seconds)).toFixed(2);
	console.log(`start on a new data directory: ${seconds(fresh)} s (aim ≤ 3 s)`);
	console.log(`start on an old data directory: ${seconds(old)} s (aim ≤ 1 s)`);
	console.log(`resident memory: ${Math.round(median([...fresh, ...old].map((each) => each.megabytes)))} MB (aim ≤ 200 MB)`);
}
