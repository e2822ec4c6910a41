// The NATS and Redis of `npm run cluster`: programs found on this machine, on ports of this machine alone, each with a
// password made for this run. One that was named by its variable is used as it is.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { freePort } from "../embedded-postgres/port.ts";
import { systemEnvironment } from "../env.ts";
import { findProgram } from "../programs.ts";
import { refusal } from "../refusal.ts";
import type { Program } from "./keeper.ts";

const HOW_TO_GET: Readonly<Record<string, { variable: string; how: string }>> = {
	"nats-server": { variable: "NATS_URL", how: "https://nats.io/download (macOS: brew install nats-server)" },
	"redis-server": {
		variable: "REDIS_URL",
		how: "https://redis.io/downloads (Debian, Ubuntu: apt install redis-server; macOS: brew install redis)",
	},
};

/** The programs' files. Throws a sentence for each one that this machine does not have. */
export function findPrograms(names: readonly string[], find = findProgram): Record<string, string> {
	const found = names.map((name) => [name, find(name)] as const);
	const missing = found.filter(([, file]) => file === undefined).map(([name]) => name);
	if (missing.length > 0)
		throw refusal(
			missing
				.map((name) => {
					const { variable, how } = HOW_TO_GET[name] as { variable: string; how: string };
					return `${name} is not installed on this machine. Get it from ${how}, or name a running one with ${variable}.`;
				})
				.join("\n"),
		);
	return Object.fromEntries(found) as Record<string, string>;
}

export interface LocalServer {
	url: string;
	program: Program;
}

const newPassword = (): string => randomBytes(18).toString("base64url");

export async function natsProgram(command: string, dataDir: string, log: string): Promise<LocalServer> {
	const [port, password] = [await freePort(), newPassword()];
	const config = path.join(dataDir, "nats.conf");
	// NATS reads JSON as configuration. Facts live in its streams: they stay over a restart.
	const settings = {
		listen: `127.0.0.1:${port}`,
		authorization: { user: "reloop", password },
		jetstream: { store_dir: path.join(dataDir, "nats") },
	};
	fs.writeFileSync(config, `${JSON.stringify(settings, null, "\t")}\n`, { mode: 0o600 });
	return {
		url: `nats://reloop:${password}@127.0.0.1:${port}`,
		program: server("nats", command, ["-c", config], dataDir, log, () => converse(port, "", /^INFO /)),
	};
}

export async function redisProgram(command: string, dataDir: string, log: string): Promise<LocalServer> {
	const [port, password] = [await freePort(), newPassword()];
	const config = path.join(dataDir, "redis.conf");
	// Nothing on disk: what Redis holds may be lost at any time, and is no truth of ours.
	const settings = ["bind 127.0.0.1", `port ${port}`, `requirepass ${password}`, 'save ""', "appendonly no", "daemonize no"];
	fs.writeFileSync(config, `${settings.join("\n")}\n`, { mode: 0o600 });
	return {
		url: `redis://:${password}@127.0.0.1:${port}`,
		program: server("redis", command, [config], dataDir, log, () => converse(port, `AUTH ${password}\r\nPING\r\n`, /\+PONG/)),
	};
}

function server(name: string, command: string, args: string[], folder: string, log: string, probe: () => Promise<void>): Program {
	const environment = systemEnvironment();
	return { name, command, args, environment, folder, log, ours: false, probe: () => probe().then(() => "ready" as const) };
}

/** Says something to a server and waits for the word it should answer. */
export function converse(port: number, words: string, awaited: RegExp): Promise<void> {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, "127.0.0.1");
		let heard = "";
		const end = (error?: Error): void => {
			socket.destroy();
			if (error) reject(error);
			else resolve();
		};
		socket.setEncoding("utf8").setTimeout(2_000, () => end(new Error("no answer")));
		socket.once("connect", () => socket.write(words));
		socket.on("data", (chunk) => {
			heard += chunk;
			if (awaited.test(heard)) end();
		});
		socket.once("error", end);
		socket.once("close", () => end(new Error("no answer")));
	});
}
