// The one fastest-validator of the house, and what it is taught beyond its own rules: objects, lists and records are read
// into fresh values (never changed in place, so a caller's frozen params are safe), texts are safe to store, and an error
// names a place and a reason but never the value: a rejected password must not travel back.
import fastestValidator from "fastest-validator";
import type { Rule } from "./schema.ts";

/** What is wrong with a value. `path` is dotted: `address.city`, `items[0].id`; empty for the value itself. */
export interface Issue {
	path: string;
	code: IssueCode;
	message: string;
}
export type Checked<T> = { ok: true; value: T } | { ok: false; errors: Issue[] };

/** Every reason there is: stable, for programs. The messages are for people and may change. */
const messages = {
	required: () => "is required",
	unknown: () => "is not a known field",
	type: (expected: unknown) => `must be ${expected}`,
	min: (expected: unknown) => `must be at least ${expected}`,
	max: (expected: unknown) => `must be at most ${expected}`,
	format: (expected: unknown) => `must be ${expected}`,
	enum: (expected: unknown) => `must be one of: ${expected}`,
	characters: () => "must not have NUL characters or broken surrogate pairs",
	blank: () => "must not be blank",
	key: () => "is not a permitted name",
} as const satisfies Record<string, (expected: unknown) => string>;
export type IssueCode = keyof typeof messages;

/** fastest-validator's own names of what is wrong, in ours. */
const ownCodes: Record<string, [IssueCode, string?]> = {
	required: ["required"],
	boolean: ["type", "true or false"],
	enumValue: ["enum"],
	equalValue: ["enum"],
};
const MOST_ISSUES = 50;
const LONGEST_PATH = 200;

interface Found {
	type: string;
	field?: string;
	expected?: unknown;
}
interface Compiling {
	schema: Record<string, unknown>;
	messages: Record<string, string>;
	index: number;
	read?: Reader;
	known?: ReadonlySet<string>;
}
interface Compiled {
	source: string;
}
interface Inner {
	getRuleFromSchema(schema: unknown): Compiling;
	compileRule(rule: Compiling, context: unknown, path: string | null, source: string, result: string): string;
}
type Reader = (value: unknown, field: string, errors: Found[]) => unknown;

// Its types speak of a default export that its CommonJS module does not have.
const Validator = fastestValidator as unknown as typeof fastestValidator.default;
const validator = new Validator({
	considerNullAsAValue: true,
	// Its messages would be filled in with the rejected value; ours are made from the code.
	messages: { required: "", boolean: "", enumValue: "", equalValue: "" },
});

/** Teaches a rule whose reading is a plain function. */
function leaf(type: string, makeReader: (schema: Record<string, unknown>) => Reader) {
	add(type, (rule) => {
		rule.read = makeReader(rule.schema);
		return `return context.rules[${rule.index}].read(value, field, errors);`;
	});
}

/** Teaches a rule as generated code, with `inner(rule, result)` for the code that reads `value` at `field` into `result`. */
function add(type: string, source: (rule: Compiling, inner: (rule: unknown, result: string) => string) => string) {
	validator.add(type, function (this: unknown, compiling: unknown, _path: unknown, context: unknown): Compiled {
		const self = this as Inner;
		const inner = (schema: unknown, result: string) =>
			self.compileRule(
				self.getRuleFromSchema(schema),
				context,
				"",
				`${result} = context.fn[%%INDEX%%](value, field, null, errors, context, null);`,
				result,
			);
		return { source: source(compiling as Compiling, inner) };
	} as never);
}

const fail = (code: IssueCode, expected: string) =>
	`errors.push({ type: "${code}", field: field, expected: ${JSON.stringify(expected)} });`;
const isPlain = `(typeof value === "object" && value !== null && !Array.isArray(value))`;
const isSafeKey = /^(?!(?:__proto__|constructor|prototype)$)[A-Za-z0-9_.:,-]{1,120}$/;

add(
	"root",
	(rule, inner) => `
	var box = value;
	field = "";
	value = box.value;
	${inner(rule.schema.rule, "box.parsed")}
	return box;
`,
);

add("object", (rule, inner) => {
	const props = rule.schema.props as Record<string, { filledWith?: unknown }>;
	rule.known = new Set(Object.keys(props));
	return `
		if (!${isPlain}) { ${fail("type", "an object")} return value; }
		var input = value, output = {}, place = field, read;
		${Object.entries(props)
			.map(
				([name, prop]) => `
			field = place ? place + ${JSON.stringify(`.${name}`)} : ${JSON.stringify(name)};
			value = ${name in Object.prototype ? `Object.hasOwn(input, ${JSON.stringify(name)}) ? input[${JSON.stringify(name)}] : undefined` : `input[${JSON.stringify(name)}]`};
			read = value;
			${prop.filledWith === undefined ? "" : `if (value === undefined) read = ${JSON.stringify(prop.filledWith)}; else {`}
			${inner(prop, "read")}
			${prop.filledWith === undefined ? "" : "}"}
			if (read !== undefined) output[${JSON.stringify(name)}] = read;
		`,
			)
			.join("")}
		var names = Object.keys(input), known = context.rules[${rule.index}].known;
		for (var i = 0; i < names.length; i++) {
			if (!known.has(names[i]) && (input[names[i]] !== undefined || names[i] === "__proto__")) {
				field = place ? place + "." + names[i] : names[i];
				${fail("unknown", "")}
			}
		}
		return output;
	`;
});

add("union", (rule, inner) => {
	const { tag, variants } = rule.schema as { tag: string; variants: Record<string, { props: object }> };
	return `
		if (!${isPlain}) { ${fail("type", "an object")} return value; }
		var read = value, kind = value[${JSON.stringify(tag)}];
		switch (kind) {
			${Object.entries(variants)
				.map(
					([name, variant]) => `
				case ${JSON.stringify(name)}:
					${inner({ ...variant, props: { [tag]: { type: "equal", value: name, strict: true, nullable: false }, ...variant.props } }, "read")}
					return read;
			`,
				)
				.join("")}
		}
		field = field ? field + ${JSON.stringify(`.${tag}`)} : ${JSON.stringify(tag)};
		if (kind === undefined || kind === null) { ${fail("required", "")} } else { ${fail("enum", Object.keys(variants).join(", "))} }
		return value;
	`;
});

add("array", (rule, inner) => {
	const { items, min, max } = rule.schema as { items: unknown; min: number; max: number };
	return `
		if (!Array.isArray(value)) { ${fail("type", "a list")} return value; }
		if (value.length < ${min}) { ${fail("min", `${min} items long`)} return value; }
		if (value.length > ${max}) { ${fail("max", `${max} items long`)} return value; }
		var input = value, output = new Array(input.length), place = field;
		for (var i = 0; i < input.length; i++) {
			field = place + "[" + i + "]";
			value = input[i];
			output[i] = value;
			${inner(items, "output[i]")}
		}
		return output;
	`;
});

add(
	"record",
	(rule, inner) => `
	if (!${isPlain}) { ${fail("type", "an object")} return value; }
	var input = value, output = {}, place = field, names = Object.keys(input), read;
	if (names.length > ${rule.schema.max}) { ${fail("max", `${rule.schema.max} fields long`)} return value; }
	for (var i = 0; i < names.length; i++) {
		field = place ? place + "." + names[i] : names[i];
		if (!${isSafeKey}.test(names[i])) { ${fail("key", "")} continue; }
		value = input[names[i]];
		read = value;
		${inner(rule.schema.value, "read")}
		output[names[i]] = read;
	}
	return output;
`,
);

const characters = (n: number) => `${n} character${n === 1 ? "" : "s"} long`;
leaf("text", (schema) => {
	const { min, max, pattern, format, verbatim, lowerCase } = schema as {
		min: number;
		max: number;
		pattern?: RegExp;
		format?: string;
		verbatim?: boolean;
		lowerCase?: boolean;
	};
	return (value, field, errors) => {
		if (typeof value !== "string") return void errors.push({ type: "type", field, expected: "a text" });
		// A code point is one or two units: only in between must they be counted.
		let length = value.length;
		if (length > max && length <= 2 * max) length = pointsOf(value);
		else if (length >= min && length < 2 * min) length = pointsOf(value);
		if (min === max && length !== max)
			return void errors.push({ type: "format", field, expected: format ? `a valid ${format}` : characters(max) });
		if (length < min) return void errors.push({ type: "min", field, expected: characters(min) });
		if (length > max) return void errors.push({ type: "max", field, expected: characters(max) });
		if (value.includes("\0") || !value.isWellFormed()) return void errors.push({ type: "characters", field });
		if (min > 0 && !verbatim && value.trim() === "") return void errors.push({ type: "blank", field });
		if (pattern && !pattern.test(value))
			return void errors.push({ type: "format", field, expected: format ? `a valid ${format}` : "of the right form" });
		return lowerCase ? value.toLowerCase() : value;
	};
});

function pointsOf(value: string): number {
	let count = 0;
	for (const _ of value) count++;
	return count;
}

const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;
leaf("time", () => (value, field, errors) => {
	if (typeof value !== "string") return void errors.push({ type: "type", field, expected: "a text" });
	// The second half refuses the 30th of February, which Date reads as the 1st or 2nd of March.
	if (!TIME.test(value) || new Date(value).getUTCDate() !== Number(value.slice(8, 10)))
		return void errors.push({ type: "format", field, expected: "an ISO 8601 time in UTC" });
	return value;
});

leaf("number", (schema) => {
	const {
		integer,
		min = Number.NEGATIVE_INFINITY,
		max = Number.POSITIVE_INFINITY,
	} = schema as { integer: boolean; min?: number; max?: number };
	return (value, field, errors) => {
		if (typeof value !== "number" || !(integer ? Number.isSafeInteger(value) : Number.isFinite(value)))
			return void errors.push({ type: "type", field, expected: integer ? "a whole number" : "a number" });
		if (value < min) return void errors.push({ type: "min", field, expected: min });
		if (value > max) return void errors.push({ type: "max", field, expected: max });
		return value;
	};
});

const DEEPEST = 32;
leaf("json", () => (value, field, errors) => {
	const wrong = wrongInJson(value, DEEPEST);
	if (wrong) errors.push({ type: wrong, field, expected: "a JSON value" });
	return value;
});

function wrongInJson(value: unknown, deeper: number): IssueCode | undefined {
	switch (typeof value) {
		case "string":
			return value.includes("\0") || !value.isWellFormed() ? "characters" : undefined;
		case "number":
			return Number.isFinite(value) ? undefined : "type";
		case "boolean":
			return undefined;
		case "object":
			break;
		default:
			return "type";
	}
	if (value === null) return undefined;
	if (deeper === 0) return "type";
	if (Array.isArray(value)) return firstOf(value, (item) => wrongInJson(item, deeper - 1));
	const shape = Object.getPrototypeOf(value);
	if (shape !== null && shape !== Object.prototype) return "type";
	return firstOf(Object.keys(value), (key) => {
		if (key === "__proto__" || key === "constructor" || key === "prototype") return "key";
		const inner = (value as Record<string, unknown>)[key];
		return wrongInJson(key, 1) ?? (inner === undefined ? undefined : wrongInJson(inner, deeper - 1));
	});
}

function firstOf<T, R>(items: readonly T[], look: (item: T) => R | undefined): R | undefined {
	for (const item of items) {
		const found = look(item);
		if (found !== undefined) return found;
	}
	return undefined;
}

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
	if (rule.type === "array") own.items = copy(rule.items as Record<string, unknown>);
	if (rule.type === "record") own.value = copy(rule.value as Record<string, unknown>);
	return own;
}
const copyAll = (rules: object) => Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, copy(rule)]));

/** Compiles a rule. Rules come from our own source only: fastest-validator turns them into code. */
export function check(rule: Rule): (value: unknown) => Checked<unknown> {
	const run = validator.compile({ $$root: true, type: "root", rule: copy({ ...rule }) } as never) as (box: object) => true | Found[];
	return (value) => {
		const box = { value, parsed: value };
		const result = run(box);
		return result === true ? { ok: true, value: box.parsed } : { ok: false, errors: result.slice(0, MOST_ISSUES).map(toIssue) };
	};
}

function toIssue({ type, field = "", expected }: Found): Issue {
	const [code, said] = ownCodes[type] ?? [type as IssueCode];
	return { path: field.slice(0, LONGEST_PATH), code, message: messages[code](said ?? expected) };
}
