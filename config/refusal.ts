// An expected reason not to start (a wrong setting, an unreadable database): its message is a whole sentence for the operator,
// who is shown that and no stack. Told apart by the property, as everywhere in this house.

/** An error whose message is meant for the operator as it stands. */
export function refusal(sentence: string, cause?: unknown): Error & { sentence: true } {
	return Object.assign(new Error(sentence, { cause }), { sentence: true as const });
}

/** Ends a program that cannot go on, and says why: a refusal is its sentence, anything else deserves its stack. */
export function giveUp(error: unknown): never {
	console.error(error instanceof Error && "sentence" in error ? error.message : error);
	process.exit(1);
}
