// A row of the operators' table (config/operations.ts).
import type { Desk } from "../desk.ts";
import { refusal } from "../refusal.ts";

export interface Operation {
	usage: string;
	/** One line, for the list of all commands. */
	summary: string;
	/** What else its help says: what the answer means, what the command changes. */
	help?: string;
	/** What it takes after its name; `?` at the end marks one that may be left out. */
	args: readonly string[];
	/** Living processes alone, or databases and actions too. */
	needs: "processes" | "data";
	run(desk: Desk, args: string[]): Promise<unknown>;
	/** What people read; `--json` shows the answer itself. */
	say(answer: never): string;
	/** Is it an answer that must not be overlooked? The command exits 1. */
	isBad?(answer: never): boolean;
}

/** Keeps the type of the answer between `run` and `say`. */
export const operation = <T>(
	row: Omit<Operation, "run" | "say" | "isBad"> & {
		run(desk: Desk, args: string[]): Promise<T>;
		say(answer: T): string;
		isBad?(answer: T): boolean;
	},
) => row as Operation;

/** Thrown where the arguments are not what the usage says. */
export const misused = (): Error => Object.assign(refusal("The arguments are not what the usage says."), { misused: true });
