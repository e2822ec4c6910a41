// The rules of single values: texts that are safe to store, times, numbers, and whatever JSON can say.
import type { IssueCode } from "./issues.ts";
import { teachValue } from "./teach.ts";

const characters = (n: number) => `${n} character${n === 1 ? "" : "s"} long`;
teachValue("text", (schema) => {
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

const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|\+00:00)$/;
teachValue("time", () => (value, field, errors) => {
	if (typeof value !== "string") return void errors.push({ type: "type", field, expected: "a text" });
	// The second half refuses the 30th of February, which Date reads as the 1st or 2nd of March.
	if (!TIME.test(value) || new Date(value).getUTCDate() !== Number(value.slice(8, 10)))
		return void errors.push({ type: "format", field, expected: "an ISO 8601 time in UTC" });
	// UTC has two names; some languages write this one.
	return value.replace("+00:00", "Z");
});

teachValue("number", (schema) => {
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
teachValue("json", () => (value, field, errors) => {
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
