// What a rule of services/contracts/schema.ts says to values.
import assert from "node:assert/strict";
import { compile } from "../../services/contracts/schema.ts";
import type { Rule } from "../../services/contracts/schema.ts";

export const id = "0199c0de-0000-7000-8000-000000000001";

/** The codes of what is wrong, by path. */
export function wrong(rule: Rule, value: unknown): Record<string, string> {
	const checked = compile(rule)(value);
	return checked.ok ? {} : Object.fromEntries(checked.errors.map(({ path, code }) => [path, code]));
}
export function accepts(rule: Rule, ...values: unknown[]) {
	for (const value of values) assert.deepEqual(compile(rule)(value), { ok: true, value });
}
export function refuses(rule: Rule, code: string, ...values: unknown[]) {
	for (const value of values) assert.deepEqual(wrong(rule, value), { "": code }, String(value));
}
