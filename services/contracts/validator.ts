// How a value is checked against a rule: objects, lists and records are read into fresh values (never changed in place, so a
// caller's frozen params are safe), texts are safe to store, and an error names a place and a reason but never the value: a
// rejected password must not travel back.
import type { Rule } from "./schema.ts";
import type { Issue } from "./validator/issues.ts";
import { toIssue } from "./validator/issues.ts";
import "./validator/nesting.ts";
import { validator } from "./validator/teach.ts";
import "./validator/values.ts";

export type Checked<T> = { ok: true; value: T } | { ok: false; errors: Issue[] };

const MOST_ISSUES = 50;

/**
 * A private copy in fastest-validator's terms: `nullable: false` wherever a rule does not say otherwise (missing would mean
 * true), defaults by another name (its own also replace a null), and one object per use (a rule object met twice is taken
 * for a cycle and checked more slowly).
 */
function copy(rule: Record<string, unknown>): Record<string, unknown> {
	const own: Record<string, unknown> = { ...rule, nullable: rule.nullable === true, filledWith: rule.default };
	delete own.default;
	if (rule.type === "object") own.props = copyAll(rule.props as object);
	if (rule.type === "union") own.variants = copyAll(rule.variants as object);
	if (rule.type === "either") own.options = (rule.options as Record<string, unknown>[]).map(copy);
	if (rule.type === "array") own.items = copy(rule.items as Record<string, unknown>);
	if (rule.type === "record") own.value = copy(rule.value as Record<string, unknown>);
	return own;
}
const copyAll = (rules: object) => Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, copy(rule)]));

/** Compiles a rule. Rules come from our own source only: fastest-validator turns them into code. */
export function check(rule: Rule): (value: unknown) => Checked<unknown> {
	const run = validator.compile({ $$root: true, type: "root", rule: copy({ ...rule }) });
	return (value) => {
		const box = { value, parsed: value };
		const result = run(box);
		return result === true ? { ok: true, value: box.parsed } : { ok: false, errors: result.slice(0, MOST_ISSUES).map(toIssue) };
	};
}
