// The guarantee report: what was promised, over all rounds, in numbers, and every case in which a promise was broken.
import { BROKEN_BY } from "../cluster/support/checker.ts";
import type { Report } from "../cluster/support/trial.ts";

const SHOWN = 20;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export class GuaranteeReport {
	readonly #counts: Record<(typeof BROKEN_BY)[number], number> = { lost: 0, doubled: 0, gaps: 0, reordered: 0, invented: 0 };
	readonly #broken: string[] = [];
	#rounds = 0;
	#acknowledged = 0;
	#unknown = 0;
	#effects = 0;
	#presence = 0;
	#requests = 0;
	#failed = 0;
	#failedWithNotice = 0;
	#longest = { ms: 0, round: 0, phase: "" };

	/** Whether every guarantee held. */
	get kept(): boolean {
		return this.#broken.length === 0 && this.#rounds > 0;
	}

	/** Takes in a round; answers a line about it. Where notice was given, no request may fail. */
	add(round: number, report: Report, { graceful }: { graceful: boolean }): string {
		const { verdict, phase } = report;
		this.#rounds++;
		this.#acknowledged += verdict.acknowledged;
		this.#unknown += verdict.unknown;
		for (const kind of BROKEN_BY) this.#counts[kind] += verdict[kind].length;
		this.#effects += report.broken.filter((what) => what.startsWith("effects:")).length;
		this.#presence += report.broken.filter((what) => what.startsWith("presence:")).length;
		this.#requests += report.requests;
		this.#failed += report.failedRequests.length;
		if (report.longestGapMs > this.#longest.ms) this.#longest = { ms: report.longestGapMs, round, phase };
		const broken = [...report.broken];
		if (graceful) {
			this.#failedWithNotice += report.failedRequests.length;
			broken.push(...report.failedRequests.map(({ method, path, failure }) => `failed: ${method} ${path}: ${failure}`));
		}
		this.#broken.push(...broken.map((what) => `round ${round} (${phase}): ${what}`));
		const figures = [
			`${verdict.acknowledged} acknowledged`,
			`${report.failedRequests.length} of ${report.requests} requests failed`,
			`longest gap ${seconds(report.longestGapMs)}`,
			`served again after ${seconds(report.recoveredAfterMs)}`,
		];
		return [`round ${round}: ${phase}`, `  ${figures.join(", ")}`, ...broken.slice(0, SHOWN).map((what) => `  BROKEN ${what}`)].join("\n");
	}

	/** A round that did not come to its end. */
	failed(round: number, phase: string, error: unknown): string {
		const what = `round ${round} (${phase}): ${error instanceof Error ? error.message : String(error)}`;
		this.#rounds++;
		this.#broken.push(what);
		return `BROKEN ${what}`;
	}

	text(): string {
		const { ms, round, phase } = this.#longest;
		const rows: [string, string][] = [
			["rounds", String(this.#rounds)],
			["acknowledged", `${this.#acknowledged} messages (of ${this.#unknown} more nobody knows, each stored once or not at all)`],
			["lost", String(this.#counts.lost)],
			["doubled", String(this.#counts.doubled)],
			["reordered", String(this.#counts.reordered)],
			["missing numbers", String(this.#counts.gaps)],
			["invented or altered", String(this.#counts.invented)],
			["effects not once", String(this.#effects)],
			["presence wrong", String(this.#presence)],
			["failed requests", `${this.#failed} of ${this.#requests}; ${this.#failedWithNotice} of them where notice was given`],
			["longest gap", round === 0 ? "none" : `${seconds(ms)} without an acknowledgement (round ${round}: ${phase})`],
		];
		const broken = this.#broken.slice(0, SHOWN).map((what) => `  ${what}`);
		if (this.#broken.length > SHOWN) broken.push(`  … and ${this.#broken.length - SHOWN} more`);
		return [
			"",
			"Guarantee report",
			...rows.map(([name, value]) => `  ${name.padEnd(20)} ${value}`),
			this.kept ? "All guarantees held." : `Guarantees broken: ${this.#broken.length}`,
			...broken,
		].join("\n");
	}
}
