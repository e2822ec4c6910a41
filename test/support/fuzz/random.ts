// Random JSON, the same in every run: a failure can be repeated.
import { randomUUID } from "node:crypto";

export interface RandomJson {
	/** A whole number below. */
	below(limit: number): number;
	/** Any value, as deep. */
	value(depth: number): unknown;
}

export function randomJson(start: number): RandomJson {
	let seed = start;
	const below = (limit: number): number => {
		seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
		return seed % limit;
	};
	const texts = [
		"",
		" ",
		"\u0000",
		"\ud800",
		"x".repeat(5000),
		"💩",
		"‮",
		"'; drop table groups; --",
		"{{7*7}}",
		"../../etc/passwd",
		"__proto__",
		"true",
		"-0",
		"1e5",
		randomUUID(),
	];
	const value = (depth: number): unknown => {
		const kind = below(depth > 0 ? 8 : 6);
		if (kind === 0) return texts[below(texts.length)];
		if (kind === 1) return [-1, 0, 1, 0.1, 2 ** 53, -(2 ** 63), 1e308][below(7)];
		if (kind === 2) return below(2) === 0;
		if (kind === 3) return null;
		if (kind === 4) return texts[below(texts.length)];
		if (kind === 5) return below(1000);
		if (kind === 6) return Array.from({ length: below(5) }, () => value(depth - 1));
		return Object.fromEntries(Array.from({ length: below(5) }, () => [texts[below(texts.length)], value(depth - 1)]));
	};
	return { below, value };
}
