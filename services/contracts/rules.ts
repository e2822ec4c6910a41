// What a rule is: plain data for fastest-validator, made by the helpers in schema.ts and read by validator.ts, infer.ts and
// json-schema.ts.

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

export interface EitherRule<O = readonly unknown[]> {
	readonly type: "either";
	readonly options: O;
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
	| EitherRule
) &
	Marks;
/** Named rules: the fields of an object, the params of an action. */
export type Props = Readonly<Record<string, Rule>>;
