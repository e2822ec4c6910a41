// "The database does not answer": one word for all that PostgreSQL and the driver say of it.

/** `code` of the error thrown when the database cannot be reached or is going away; the door answers 503. */
export const DATABASE_UNAVAILABLE = "database-unavailable";

/** True for an error of this module that means "not now": the statement may be tried again later by whoever asked. */
export function isUnavailable(error: unknown): boolean {
	return error instanceof Error && (error as { code?: unknown }).code === DATABASE_UNAVAILABLE;
}

/** SQLSTATEs and socket errors that say "the server is not there", not "your statement is wrong". */
const unreachable = /^(08...|57P0[1235]|53300|ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
/** pg throws these without a code. */
const unreachableTexts =
	/^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

/** Throws the error, in our word where it means "not now". */
export function failed(error: unknown): never {
	if (error instanceof Error && !isUnavailable(error)) {
		const code = String((error as { code?: unknown }).code ?? "");
		if (unreachable.test(code) || unreachableTexts.test(error.message)) {
			throw Object.assign(new Error("The database does not answer.", { cause: error }), { code: DATABASE_UNAVAILABLE });
		}
	}
	throw error;
}
