// TypeScript types read off rules: what a checked value is (`Output`, `Infer`), and what a caller may give (`Input`).
/** What JSON can say. `undefined` fields are left out on the wire. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };
/** Writes an intersection as one object type, so that an editor shows fields and not machinery. */
type Shown<T> = { [K in keyof T]: T[K] } & {};
/** What all of a union are at once. */
export type All<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer A) => void
	? { readonly [K in keyof A]: A[K] }
	: never;

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
									: R extends { readonly type: "either"; readonly options: infer O extends readonly unknown[] }
										? { [K in keyof O]: OutputOf<O[K]> }[number]
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
				: R extends { readonly type: "either"; readonly options: infer O extends readonly unknown[] }
					? { [K in keyof O]: InputOf<O[K]> }[number]
					: OutputOf<R>;
export type InputProps<P> = Shown<
	{ readonly [K in keyof P as P[K] extends Absent | Filled ? never : K]: InputOf<P[K]> | OrNull<P[K]> } & {
		readonly [K in keyof P as P[K] extends Absent | Filled ? K : never]?: InputOf<P[K]> | OrNull<P[K]>;
	}
>;
