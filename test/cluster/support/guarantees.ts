// What must hold after every fault, as assertions for tests.
import assert from "node:assert/strict";
import type { Report, Trial } from "./trial.ts";

const few = (lines: readonly string[]): string =>
	lines.length > 10 ? `${lines.slice(0, 10).join("\n")}\n… and ${lines.length - 10} more` : lines.join("\n");

/** All guarantees: nothing lost, doubled, missing, reordered or invented, every fact's effect once, presence right. */
export function holds(trial: Trial, report: Report): void {
	assert.ok(report.verdict.acknowledged > 0, "nothing was acknowledged: this proves nothing");
	if (report.broken.length > 0) assert.fail(`${report.phase}:\n${few(report.broken)}\n${trial.cluster.output()}`);
}

/** And nobody who asked over HTTP had to ask again. */
export function holdsWithoutFailure(trial: Trial, report: Report): void {
	holds(trial, report);
	const failures = report.failedRequests.map(({ method, path, failure }) => `${method} ${path}: ${failure}`);
	if (failures.length > 0) assert.fail(`${report.phase}: ${failures.length} requests failed\n${few(failures)}\n${trial.cluster.output()}`);
}
