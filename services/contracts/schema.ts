// The helpers contracts are written with: each makes a rule (rules.ts), from which the type is read off (infer.ts). `compile`
// is the one place that checks a value against a rule.
import type { Input, Output } from "./infer.ts";
import type {
	ArrayRule,
	BoolRule,
	EitherRule,
	EnumRule,
	JsonRule,
	LiteralRule,
	NumberRule,
	ObjectRule,
	Props,
	RecordRule,
	Rule,
	TextRule,
	TimeRule,
	UnionRule,
} from "./rules.ts";
import { check } from "./validator.ts";
import type { Checked } from "./validator.ts";

export type * from "./infer.ts";
export type * from "./rules.ts";

/** `pattern` adds a form; `format` names it in documents; `verbatim` lets a text of nothing but white space through. */
export interface TextOptions {
	pattern?: RegExp;
	format?: string;
	verbatim?: boolean;
}
/**
 * A text of `min` to `max` characters (code points). Never trimmed or changed. NUL and lone surrogates are refused; where
 * `min` is above 0, so is a text of nothing but white space.
 */
export const text = (min: number, max: number, options: TextOptions = {}): TextRule => ({ type: "text", min, max, ...options });
/** Any version, either case; read as lower case. */
export const uuid: TextRule = {
	type: "text",
	min: 36,
	max: 36,
	format: "uuid",
	lowerCase: true,
	pattern: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
};
/** One `@` with something on both sides; white space around it is let through, the receiver normalises. */
export const email: TextRule = { type: "text", min: 3, max: 254, format: "email", pattern: /^\s*[^\s@]+@[^\s@]+\s*$/u };
/** The opaque place in a list where the next page begins. Any text passes: the list itself says of a bad one that it is (400, not 422). */
export const cursor: TextRule = { type: "text", min: 0, max: 4096 };
/** ISO 8601 in UTC: `2026-01-31T12:00:00.000Z`, seconds and fractions of up to nine digits; `+00:00` is read as `Z`. */
export const time: TimeRule = { type: "time" };
/** A safe integer, inclusive bounds. */
export const int = (min?: number, max?: number): NumberRule => ({ type: "number", integer: true, min, max });
/** A finite number, inclusive bounds. */
export const number = (min?: number, max?: number): NumberRule => ({ type: "number", integer: false, min, max });
export const bool: BoolRule = { type: "boolean" };
/** Any JSON value, `null` too, at most 32 deep. */
export const json: JsonRule = { type: "json", nullable: true };
export const oneOf = <const V extends readonly (string | number)[]>(...values: V): EnumRule<V[number]> => ({ type: "enum", values });
export const literal = <const V extends string | number | boolean>(value: V): LiteralRule<V> => ({ type: "equal", value, strict: true });
/** At most 1,000 items unless said otherwise. */
export const array = <const R extends Rule>(items: R, { min = 0, max = 1000 }: { min?: number; max?: number } = {}): ArrayRule<R> => ({
	type: "array",
	items,
	min,
	max,
});
/** Values by name: keys of 1 to 120 letters, digits and `_ . : , -`; never `__proto__` or its kin. At most 1,000. */
export const record = <const R extends Rule>(value: R, { max = 1000 }: { max?: number } = {}): RecordRule<R> => ({
	type: "record",
	value,
	max,
});
/** A strict object: unknown fields are refused. */
export const object = <const P extends Props>(props: P): ObjectRule<P> => ({ type: "object", props });
/** One of several objects, told apart by the field `tag`, which is added to each. */
export const union = <const T extends string, const V extends Readonly<Record<string, ObjectRule<Props>>>>(
	tag: T,
	variants: V,
): UnionRule<T, V> => ({ type: "union", tag, variants });
/** One of several objects that nothing tells apart but what they hold; the first that fits counts. */
export const either = <const O extends readonly ObjectRule<Props>[]>(...options: O): EitherRule<O> => ({ type: "either", options });
/** May be missing. */
export const optional = <const R extends Rule>(rule: R): R & { readonly optional: true } => ({ ...rule, optional: true });
/** May be `null`. */
export const nullable = <const R extends Rule>(rule: R): R & { readonly nullable: true } => ({ ...rule, nullable: true });
/** When missing, `value`: the caller may leave it out, the handler always has it. */
export const defaulted = <const R extends Rule, const D extends Input<R> & {}>(rule: R, value: D): R & { readonly default: D } => ({
	...rule,
	default: value,
});
/** The answer of a list: a page and where the next one begins. */
export const list = <const R extends Rule>(item: R) => object({ data: array(item), nextCursor: nullable(cursor) });
/** The params of a list. */
export const page = { limit: defaulted(int(1, 100), 20), cursor: optional(cursor) } as const;

export type { Checked } from "./validator.ts";
export type { Issue } from "./validator/issues.ts";
/** Reads an unknown value by a rule: a fresh value with defaults in it, or what is wrong. Never changes what it is given. */
export type Checker<R> = (value: unknown) => Checked<Output<R>>;

const checkers = new WeakMap<object, (value: unknown) => Checked<unknown>>();

/** The checker of a rule, compiled on first use and remembered as long as the rule lives. */
export function compile<const R extends Rule>(rule: R): Checker<R> {
	let checker = checkers.get(rule);
	if (!checker) {
		checker = check(rule);
		checkers.set(rule, checker);
	}
	return checker as Checker<R>;
}
