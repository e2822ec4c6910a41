// `npm run test:postgres`: a command with RELOOP_TEST_DATABASE_URL, which is a PostgreSQL with PostGIS that lives as long as it does.
// Its clock, its form of times and its order of letters are not those of the embedded server: what hangs on them shows.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { needs, postgresServer } from "./servers.ts";

const [command, ...args] = process.argv.slice(2);
const missing = needs("postgres", "initdb");
if (!command || missing) {
	console.error(command ? missing : "Say which command is to run.");
	process.exit(1);
}
// Of many test files at once, which kill processes and not the machine (as database.ts has it of the embedded one).
const settings = { timezone: "Asia/Seoul", datestyle: "German", max_connections: 300, fsync: "off", full_page_writes: "off" };
const server = await postgresServer({ settings });
const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, RELOOP_TEST_DATABASE_URL: server.url } });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
const [code] = (await once(child, "exit")) as [number | null];
await server.stop();
process.exit(code ?? 1);
