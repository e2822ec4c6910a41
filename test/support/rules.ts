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

/** A value that a rule accepts: the least it asks for. */
export function sample(rule: Rule): unknown {
	switch (rule.type) {
		case "text":
			return rule.format === "uuid" ? id : "x".repeat(rule.min);
		case "time":
			return "2026-01-01T00:00:00.000Z";
		case "number":
			return rule.min ?? 0;
		case "boolean":
			return true;
		case "enum":
			return rule.values[0];
		case "equal":
			return rule.value;
		case "array":
			return Array.from({ length: rule.min ?? 0 }, () => sample(rule.items as Rule));
		case "object":
			return Object.fromEntries(Object.entries(rule.props).map(([name, inner]) => [name, sample(inner as Rule)]));
		case "record":
			return {};
		case "json":
			return null;
		case "either":
			return sample(rule.options[0] as Rule);
		case "union": {
			const [[name, variant] = []] = Object.entries(rule.variants);
			return { [rule.tag]: name, ...(sample(variant as Rule) as object) };
		}
	}
}
