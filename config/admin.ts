// `npm run admin -- <command> [--json]`: the operators' commands, beside a running Reloop or without one.
import { createInterface } from "node:readline/promises";
import { readCommand, runCommand } from "./command.ts";
import { openDesk } from "./desk.ts";
import { readEnv } from "./env.ts";
import { giveUp } from "./refusal.ts";

const PREFIX = "npm run admin -- ";

/** Asks for a password where a person sits at the terminal; an empty one means: make one. */
async function askPassword(): Promise<string> {
	const terminal = createInterface({ input: process.stdin, output: process.stdout });
	const password = await terminal.question("Password (empty: one is made): ");
	terminal.close();
	return password;
}

async function main(): Promise<number> {
	const command = readCommand(process.argv.slice(2), PREFIX);
	if ("text" in command) {
		console[command.wanted ? "log" : "error"](command.text);
		return command.wanted ? 0 : 2;
	}
	const { name, args, operation, json } = command;
	if (name === "create" && args.length === 1 && process.stdin.isTTY && !json) args.push(await askPassword());
	const desk = await openDesk(readEnv(), operation.needs);
	try {
		return await runCommand(command, desk, PREFIX);
	} finally {
		await desk.close();
	}
}

process.exit(await main().catch(giveUp));
