// `npm run bench -- community`: what the community's promises cost where much is kept. Each part is a file of its own.
import { broadcast } from "./community/broadcast.ts";
import { crowd } from "./community/crowd.ts";
import { join } from "./community/join.ts";
import { read } from "./community/read.ts";

const parts: Record<string, (rounds: number) => Promise<void>> = { broadcast, crowd, join, read };

/** All parts, one after another; BENCH_PART names one. */
export async function community(rounds: number): Promise<void> {
	const { BENCH_PART } = process.env;
	for (const [name, run] of Object.entries(parts)) if (BENCH_PART === undefined || BENCH_PART === name) await run(rounds);
}
