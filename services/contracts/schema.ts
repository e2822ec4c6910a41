// The rules contracts are written in: fastest-validator rule objects made by small helpers, the TypeScript types inferred
// from them, and `compile`, the one place that checks a value against a rule.
import { check } from "./validator.ts";
import type { Checked } from "./validator.ts";

// ---------------------------------------------------------------- rules

export interface TextRule {
	readonly type: "text";
	readonly min: number;
	readonly max: number;
	readonly pattern?: RegExp;
	readonly format?: string;
	readonly verbatim?: boolean;
	readonly lowerCase?: boolean;
}
export interface TimeRule {
	readonly type: "time";
}
export interface NumberRule {
	readonly type: "number";
	readonly integer: boolean;
	readonly min?: number;
	readonly max?: number;
}
export interface BoolRule {
	readonly type: "boolean";
}
export interface JsonRule {
	readonly type: "json";
	readonly nullable: true;
}
export interface EnumRule<V extends string | number = string | number> {
	readonly type: "enum";
	readonly values: readonly V[];
}
export interface LiteralRule<V extends string | number | boolean = string | number | boolean> {
	readonly type: "equal";
	readonly value: V;
	readonly strict: true;
}
export interface ArrayRule<R = unknown> {
	readonly type: "array";
	readonly items: R;
	readonly min?: number;
	readonly max?: number;
}
export interface RecordRule<R = unknown> {
	readonly type: "record";
	readonly value: R;
	readonly max?: number;
}
export interface ObjectRule<P = Readonly<Record<string, unknown>>> {
	readonly type: "object";
	readonly props: P;
}
export interface UnionRule<T extends string = string, V = Readonly<Record<string, unknown>>> {
	readonly type: "union";
	readonly tag: T;
	readonly variants: V;
}

/** What every rule may carry besides: see `optional`, `nullable`, `defaulted`. */
interface Marks {
	readonly optional?: true;
	readonly nullable?: true;
	readonly default?: unknown;
}
/** Any rule a helper of this file returns. */
export type Rule = (
	| TextRule
	| TimeRule
	| NumberRule
	| BoolRule
	| JsonRule
	| EnumRule
	| LiteralRule
	| ArrayRule
	| RecordRule
	| ObjectRule
	| UnionRule
) &
	Marks;
/** Named rules: the fields of an object, the params of an action. */
export type Props = Readonly<Record<string, Rule>>;

// ---------------------------------------------------------------- types from rules

/** What JSON can say. `undefined` fields are left out on the wire. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
/** Writes an intersection as one object type, so that an editor shows fields and not machinery. */
type Shown<T> = { [K in keyof T]: T[K] } & {};

type Absent = { readonly optional: true };
type Filled = { readonly default: unknown };
type OrNull<R> = R extends { readonly type: "json" } ? never : R extends { readonly nullable: true } ? null : never;

/** What a checked value is: defaults are in. */
export type Output<R> = OutputOf<R> | OrNull<R>;
export type Infer<R> = Output<R>;
type OutputOf<R> = R extends { readonly type: "object"; readonly props: infer P }
	? OutputProps<P>
	: R extends { readonly type: "text" | "time" }
		? string
		: R extends { readonly type: "enum"; readonly values: readonly (infer V)[] }
			? V
			: R extends { readonly type: "number" }
				? number
				: R extends { readonly type: "boolean" }
					? boolean
					: R extends { readonly type: "array"; readonly items: infer I }
						? (OutputOf<I> | OrNull<I>)[]
						: R extends { readonly type: "equal"; readonly value: infer V }
							? V
							: R extends { readonly type: "record"; readonly value: infer V }
								? { [key: string]: OutputOf<V> | OrNull<V> }
								: R extends { readonly type: "union"; readonly tag: infer T extends string; readonly variants: infer V }
									? { [K in keyof V]: Shown<{ [_ in T]: K } & OutputOf<V[K]>> }[keyof V]
									: R extends { readonly type: "json" }
										? Json
										: never;
type OutputProps<P> = Shown<
	{ -readonly [K in keyof P as P[K] extends Absent ? never : K]: OutputOf<P[K]> | OrNull<P[K]> } & {
		-readonly [K in keyof P as P[K] extends Absent ? K : never]?: OutputOf<P[K]> | OrNull<P[K]>;
	}
>;
/** The checked form of named rules. */
export type InferProps<P> = OutputProps<P>;

/** What a caller may give: fields with a default may be left out, lists may be read-only. */
export type Input<R> = InputOf<R> | OrNull<R>;
type InputOf<R> = R extends { readonly type: "object"; readonly props: infer P }
	? InputProps<P>
	: R extends { readonly type: "array"; readonly items: infer I }
		? readonly (InputOf<I> | OrNull<I>)[]
		: R extends { readonly type: "record"; readonly value: infer V }
			? { readonly [key: string]: InputOf<V> | OrNull<V> }
			: R extends { readonly type: "union"; readonly tag: infer T extends string; readonly variants: infer V }
				? { [K in keyof V]: Shown<{ readonly [_ in T]: K } & InputOf<V[K]>> }[keyof V]
				: OutputOf<R>;
export type InputProps<P> = Shown<
	{ readonly [K in keyof P as P[K] extends Absent | Filled ? never : K]: InputOf<P[K]> | OrNull<P[K]> } & {
		readonly [K in keyof P as P[K] extends Absent | Filled ? K : never]?: InputOf<P[K]> | OrNull<P[K]>;
	}
>;

// ---------------------------------------------------------------- helpers

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
/** The opaque place in a list where the next page begins. */
export const cursor: TextRule = { type: "text", min: 1, max: 512 };
/** ISO 8601 in UTC with a `Z`: `2026-01-31T12:00:00.000Z`, seconds and fractions of up to nine digits. */
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

// ---------------------------------------------------------------- contracts

export interface ActionContract<P extends Props = Props, A extends Rule = Rule> {
	/** One sentence: what it does and for whom. */
	readonly summary: string;
	readonly description?: string;
	readonly params: P;
	readonly answer: A;
	/** The problem codes it answers with besides the ones any action may. */
	readonly errors?: readonly string[];
	/** May a row of the routes table or the socket table name it? Without this only other nodes can call it. */
	readonly published?: boolean;
	/** The param that names the actor it is about: the call goes to that actor's owner first. */
	readonly owner?: string;
	/** Asked twice does no more than asked once: it may be asked again where no answer comes. */
	readonly repeatable?: boolean;
}
export const action = <const P extends Props, const A extends Rule>(contract: ActionContract<P, A>): ActionContract<P, A> => contract;
export const actions = <const T extends Readonly<Record<string, ActionContract>>>(table: T): T => table;

export interface FactContract<P extends Props = Props> {
	readonly version: number;
	/** When it fires, in the past tense. */
	readonly summary: string;
	readonly payload: P;
}
export const facts = <const T extends Readonly<Record<string, FactContract>>>(table: T): T => table;

// ---------------------------------------------------------------- checking

export type { Checked, Issue } from "./validator.ts";
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
