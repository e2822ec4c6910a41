// `npm run admin -- <command> [--json]`: the operators' commands, beside a running Reloop or without one.
import { createInterface } from "node:readline/promises";
import { startApp } from "./app.ts";
import { EnvError, readEnv } from "./env.ts";
import { operations } from "./operations.ts";

function usage(): string {
	const rows = Object.values(operations).map(({ usage, summary }) => `  ${usage.padEnd(32)} ${summary}`);
	return `npm run admin -- <command> [--json]\n\n${rows.join("\n")}`;
}

/** Asks for a password where a person sits at the terminal; an empty one means: make one. */
async function askPassword(): Promise<string> {
	const terminal = createInterface({ input: process.stdin, output: process.stdout });
	const password = await terminal.question("Password (empty: one is made): ");
	terminal.close();
	return password;
}

async function main(): Promise<number> {
	const words = process.argv.slice(2);
	const json = words.includes("--json");
	const [name = "", ...args] = words.filter((word) => word !== "--json");
	const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
	const needed = operation?.args.filter((arg) => !arg.endsWith("?")).length ?? 0;
	if (!operation || args.length < needed || args.length > operation.args.length) {
		console.error(operation ? `Usage: npm run admin -- ${operation.usage}` : usage());
		return 2;
	}
	if (name === "create" && args.length === 1 && process.stdin.isTTY && !json) args.push(await askPassword());
	const env = readEnv();
	const app = await startApp({ env: { ...env, NODES: ["identity"], LOG_LEVEL: "warn" }, tool: true });
	try {
		const answer = await operation.run(app.broker, args);
		console.log(json ? JSON.stringify(answer) : operation.say(answer as never));
		return 0;
	} catch (error) {
		const { message, data } = error as Error & { data?: { detail?: string; errors?: { path: string; message: string }[] } };
		const reasons = data?.errors?.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
		console.error(reasons ?? data?.detail ?? message);
		return 1;
	} finally {
		await app.stop();
	}
}

try {
	process.exit(await main());
} catch (error) {
	console.error(error instanceof EnvError ? error.message : error);
	process.exit(1);
}
