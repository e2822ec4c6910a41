// What a value of PostgreSQL is in our code.
import pg from "pg";

const INT8 = 20;
const INT8_ARRAY = 1016;

/** int8 as number: our counts and sequence numbers stay far below 2^53, and a string in their place is a bug factory. */
export const types = {
	getTypeParser(oid: number, format?: "text" | "binary"): unknown {
		if (oid === INT8) return Number;
		const parse = pg.types.getTypeParser(oid, format as "text");
		return oid === INT8_ARRAY ? (text: string) => parse(text).map(Number) : parse;
	},
} as pg.CustomTypesConfig;
