// What a value of PostgreSQL is in our code: what the contracts say it is, so that a row can be an answer.
import pg from "pg";

const { builtins } = pg.types;
const INT8_ARRAY = 1016;
const TIMESTAMPTZ_ARRAY = 1185;
const TEXT_ARRAY: number = 1009;

type Parse = (text: string) => unknown;

/** The driver's own parsers: every form that PostgreSQL writes in DateStyle ISO, whatever the zone; arrays of anything. */
const dateOf: (text: string) => unknown = pg.types.getTypeParser(builtins.TIMESTAMPTZ);
const textsOf: (text: string) => (string | null)[] = pg.types.getTypeParser(TEXT_ARRAY);

/**
 * A timestamptz as ISO 8601 in UTC with milliseconds, as `toISOString()` prints it; what is finer is cut off. Throws for what is
 * no such time: `infinity`, or a server that writes times in another DateStyle.
 *
 * Every message that is read comes by here. A node's role is in UTC (config/roles.ts), and then only the punctuation differs.
 */
export function isoTime(text: string): string {
	if (text.endsWith("+00") && text[4] === "-" && text[10] === " ") {
		const milliseconds = text.slice(20, -3).padEnd(3, "0").slice(0, 3);
		return `${text.slice(0, 10)}T${text.slice(11, 19)}.${milliseconds}Z`;
	}
	const date = dateOf(text);
	if (!(date instanceof Date)) throw new Error(`PostgreSQL wrote a time as ${JSON.stringify(text)}: its DateStyle must be ISO.`);
	return date.toISOString();
}

const arrayOf =
	(parse: Parse): Parse =>
	(text) =>
		textsOf(text).map((item) => (item === null ? null : parse(item)));

const parsers = new Map<number, Parse>([
	// As number: our counts and sequence numbers stay far below 2^53, and a string in their place is a bug factory.
	[builtins.INT8, Number],
	[INT8_ARRAY, arrayOf(Number)],
	[builtins.TIMESTAMPTZ, isoTime],
	[TIMESTAMPTZ_ARRAY, arrayOf(isoTime)],
	// The driver would make it a moment: midnight wherever this process runs.
	[builtins.DATE, String],
]);

export const types = {
	getTypeParser: (oid: number, format?: "text" | "binary") => parsers.get(oid) ?? pg.types.getTypeParser(oid, format as "text"),
} as pg.CustomTypesConfig;
