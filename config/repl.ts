// `npm run repl`: Moleculer's REPL on a broker of its own beside a running Reloop, with the operators' commands in it.
import type { REPLServer } from "node:repl";
import { readCommand, runCommand } from "./command.ts";
import { openDesk } from "./desk.ts";
import { readEnv } from "./env.ts";
import { operations } from "./operations.ts";
import { giveUp } from "./refusal.ts";

async function main(): Promise<void> {
	const desk = await openDesk(readEnv(), "data");
	const { broker } = desk;
	if (!broker) throw new Error("The REPL needs a broker.");
	// Listed in the REPL's own `help` and completed by the tabulator key. Those of Moleculer's that have the same name keep their line.
	const listed = new Set(["nodes"]);
	broker.options.replOptions = {
		customCommands: Object.entries(operations)
			.filter(([name]) => !listed.has(name))
			.map(([name, { args, summary }]) => ({
				command: [name, ...args.map((arg) => (arg.endsWith("?") ? `[${arg.slice(0, -1)}]` : `<${arg}>`))].join(" "),
				description: summary,
				async action() {},
			})),
	};
	// Moleculer says that it answers nothing; it answers what node:repl made.
	const server = broker.repl() as unknown as REPLServer;
	const theirs = server.eval;
	const ours = async (words: string[]): Promise<void> => {
		const command = readCommand(words, "");
		if ("text" in command) console.log(command.text);
		else await runCommand(command, desk, "");
	};
	// One after another, as they were typed or piped in; and what was begun is finished before the end.
	let last: Promise<unknown> = Promise.resolve();
	Object.assign(server, {
		// Ours are read here, and not by Moleculer's parser: `--json`, help and refusals are those of `npm run admin`.
		eval(this: REPLServer, line: string, ...rest: [context: never, file: string, done: (error: Error | null) => void]) {
			const words = line.trim().split(/\s+/);
			const isOurs = Object.hasOwn(operations, words[0] ?? "");
			last = last.catch(() => {}).then(() => (isOurs ? ours(words).finally(() => rest[2](null)) : theirs.call(this, line, ...rest)));
		},
	});
	server.removeAllListeners("exit").once("exit", () => {
		void last
			.catch(() => {})
			.then(() => desk.close())
			.finally(() => process.exit(0));
	});
}

await main().catch(giveUp);
