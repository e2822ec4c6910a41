// `npm run repl`: Moleculer's REPL on a broker of its own beside a running Reloop, with the operators' commands in it.
import type { ServiceBroker } from "moleculer";
import { startApp } from "./app.ts";
import { readEnv } from "./env.ts";
import { operations } from "./operations.ts";

/** What the REPL really passes to a command: named arguments, not the list that its types say. */
type Given = Record<string, string | undefined>;

const app = await startApp({ env: { ...readEnv(), LOG_LEVEL: "warn" }, tool: true });

app.broker.options.replOptions = {
	customCommands: Object.entries(operations).map(([name, { args: names, summary, run, say }]) => ({
		command: [name, ...names.map((arg) => (arg.endsWith("?") ? `[${arg.slice(0, -1)}]` : `<${arg}>`))].join(" "),
		description: summary,
		async action(broker: ServiceBroker, given: unknown) {
			const args = names.map((arg) => (given as Given)[arg.replace("?", "")]).filter((value) => value !== undefined);
			try {
				console.log(say((await run(broker, args)) as never));
			} catch (error) {
				console.error((error as Error).message);
			}
		},
	})),
};
app.broker.repl();
