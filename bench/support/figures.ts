// Figures: medians of rounds, percentiles of waits, and the lines that a benchmark prints.
import { cpus, totalmem } from "node:os";

export function median(values: readonly number[]): number {
	return percentile(values, 0.5);
}

/** The value below which a share of the values lies; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
	const sorted = Float64Array.from(values).sort();
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const percent = (share: number): string => (Number.isNaN(share) ? "unknown" : `${Math.round(share * 100)} %`);

/** Ends each comparison: `ratio chat: 2.13 (ours 245000/s, peer 115000/s)`. */
export function ratioLine(name: string, ours: number, peer: number, names: [ours: string, peer: string] = ["ours", "peer"]): string {
	return `ratio ${name}: ${(ours / peer).toFixed(2)} (${names[0]} ${Math.round(ours)}/s, ${names[1]} ${Math.round(peer)}/s)`;
}

export function machine(): string {
	const [first] = cpus();
	return `${cpus().length} × ${first?.model ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform} ${process.arch}`;
}

/** Runs every contender once a round, in turn, so that a noisy minute hurts all of them; answers each one's rounds. */
export async function alternate<R>(
	rounds: number,
	contenders: Record<string, () => Promise<R>>,
	show: (name: string, result: R) => void,
): Promise<Record<string, R[]>> {
	const results: Record<string, R[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
	for (let round = 0; round < rounds; round++) {
		for (const [name, run] of Object.entries(contenders)) {
			const result = await run();
			results[name]?.push(result);
			show(`round ${round + 1} ${name}`, result);
		}
	}
	return results;
}
