// Whether the process of this environment lives, as its exit code: the health check of a container, which has no curl.
import { readEnv } from "./env.ts";

const { HOST, PORT, SOCKET_PORT, NODES } = readEnv();
const port = NODES.includes("socket") && !NODES.includes("api") ? SOCKET_PORT : PORT;
const host = HOST === "0.0.0.0" || HOST === "::" ? "127.0.0.1" : HOST;
try {
	const answer = await fetch(`http://${host.includes(":") ? `[${host}]` : host}:${port}/live`, { signal: AbortSignal.timeout(2_500) });
	process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
	console.error(`Port ${port} does not answer: ${(error as Error).message}`);
	process.exitCode = 1;
}
