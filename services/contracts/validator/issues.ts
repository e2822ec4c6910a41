// What can be wrong with a value, and how it is said: a place and a reason, never the value.

/** What is wrong with a value. `path` is dotted: `address.city`, `items[0].id`; empty for the value itself. */
export type Issue = { path: string; code: IssueCode; message: string };

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
const LONGEST_PATH = 200;

/** What a check has found, in fastest-validator's form. */
export interface Found {
	type: string;
	field?: string;
	expected?: unknown;
}

export function toIssue({ type, field = "", expected }: Found): Issue {
	const [code, said] = ownCodes[type] ?? [type as IssueCode];
	return { path: field.slice(0, LONGEST_PATH), code, message: messages[code](said ?? expected) };
}
