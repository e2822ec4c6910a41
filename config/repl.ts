// `npm run repl`: Moleculer's REPL on a broker of its own beside a running Reloop, with the operators' commands in it.
import { startApp } from "./app.ts";
import { readEnv } from "./env.ts";
import { operations } from "./operations.ts";

const env = readEnv();
const app = await startApp({ env: { ...env, LOG_LEVEL: "warn" }, tool: true });

const customCommands = Object.entries(operations).map(([name, operation]) => ({
	command: [name, ...operation.args.map((arg) => (arg.endsWith("?") ? `[${arg.slice(0, -1)}]` : `<${arg}>`))].join(" "),
	description: operation.summary,
	action: async (_broker: unknown, { args }: { args: Record<string, string | undefined> }) => {
		const given = operation.args.map((arg) => args[arg.replace("?", "")]).filter((value) => value !== undefined);
		console.log(operation.say((await operation.run(app.broker, given)) as never));
	},
}));
app.broker.options.replCommands = customCommands as never;
const repl = app.broker.repl() as unknown as { on?: (event: string, listener: () => void) => void } | undefined;
repl?.on?.("exit", () => void app.stop().then(() => process.exit(0)));
