// One operator's command, from its words to what is printed: the same for `npm run admin` and the REPL.
import type { Desk } from "./desk.ts";
import { operations } from "./operations.ts";
import type { Operation } from "./operations/row.ts";

export interface Command {
	name: string;
	operation: Operation;
	args: string[];
	json: boolean;
}

/** What there is to say instead of doing it. */
export interface Advice {
	text: string;
	/** It was asked for, not caused by a mistake. */
	wanted: boolean;
}

/** @param prefix what stands before a command where it is typed, such as `npm run admin -- ` */
export function readCommand(words: readonly string[], prefix: string): Command | Advice {
	const json = words.includes("--json");
	const help = words.includes("--help") || words.includes("-h");
	const plain = words.filter((word) => word !== "--json" && word !== "--help" && word !== "-h");
	const [first, second] = plain;
	if (first === "help" || (help && first === undefined)) {
		const about = second === undefined ? undefined : find(second);
		return { text: about ? helpOf(about, prefix) : overview(prefix), wanted: second === undefined || about !== undefined };
	}
	const operation = first === undefined ? undefined : find(first);
	if (!operation || first === undefined) return { text: overview(prefix), wanted: false };
	if (help) return { text: helpOf(operation, prefix), wanted: true };
	const args = plain.slice(1);
	const needed = operation.args.filter((arg) => !arg.endsWith("?")).length;
	if (args.length < needed || args.length > operation.args.length) return { text: usageOf(operation, prefix), wanted: false };
	return { name: first, operation, args, json };
}

const find = (name: string): Operation | undefined => (Object.hasOwn(operations, name) ? operations[name] : undefined);
const usageOf = ({ usage }: Operation, prefix: string): string => `Usage: ${prefix}${usage} [--json]`;
const helpOf = (operation: Operation, prefix: string): string =>
	[usageOf(operation, prefix), "", operation.summary, ...(operation.help ? [operation.help] : [])].join("\n");

function overview(prefix: string): string {
	const rows = Object.values(operations).map(({ usage, summary }) => `  ${usage.padEnd(32)} ${summary}`);
	return [`${prefix}<command> [--json]`, "", ...rows, "", `More of one: ${prefix}help <command>`].join("\n");
}

/** Runs it; answers the exit code: 0 done, 1 refused or found bad, 2 misused. */
export async function runCommand({ operation, args, json }: Command, desk: Desk, prefix: string): Promise<number> {
	try {
		const answer = await operation.run(desk, args);
		// It is what this very operation answered.
		const answered = answer as never;
		console.log(json ? JSON.stringify(answer) : operation.say(answered));
		return operation.isBad?.(answered) ? 1 : 0;
	} catch (error) {
		if ((error as { misused?: boolean }).misused) {
			console.error(usageOf(operation, prefix));
			return 2;
		}
		const { message, data } = error as Error & { data?: { detail?: string; errors?: { path: string; message: string }[] } };
		const reasons = data?.errors?.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
		console.error(reasons ?? data?.detail ?? message);
		return 1;
	}
}
