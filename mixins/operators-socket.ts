// How operators on this machine reach a Reloop that runs without NATS: a socket that its owner alone may open (a named pipe
// on Windows), and an entry in DATA_DIR/control that names it. One question, one answer, then it is closed.
import { createHash } from "node:crypto";
import fs from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { toProblem } from "../services/contracts/errors.ts";
import { isActionName } from "../services/contracts/index.ts";
import type { ActionName, ParamsIn } from "../services/contracts/index.ts";
import { callAction } from "./call.ts";
import { settings } from "./settings.ts";

/** What stands in an entry: `<pid>.json`. */
export interface ControlEntry {
	pid: number;
	nodeId: string;
	/** The socket's path or the pipe's name. */
	address: string;
}

export const controlFolder = (dataDir: string): string => join(dataDir, "control");

/** Longer paths are no names for sockets on some systems. */
const LONGEST_PATH = 100;
const LONGEST_QUESTION = 64 * 1024;

function addressOf(dataDir: string, pid: number): string {
	const short = `reloop-${createHash("sha256").update(dataDir).digest("hex").slice(0, 16)}-${pid}`;
	if (process.platform === "win32") return `\\\\.\\pipe\\${short}`;
	const inside = join(controlFolder(dataDir), `${pid}.sock`);
	return Buffer.byteLength(inside) <= LONGEST_PATH ? inside : join(tmpdir(), `${short}.sock`);
}

/** Listens for operators; answers what ends it. Throws where the folder or the socket cannot be made. */
export async function hearOperators(broker: ServiceBroker): Promise<() => Promise<void>> {
	const { DATA_DIR } = settings(broker);
	const { pid } = process;
	const address = addressOf(DATA_DIR, pid);
	const entry = join(controlFolder(DATA_DIR), `${pid}.json`);
	fs.mkdirSync(controlFolder(DATA_DIR), { recursive: true, mode: 0o700 });
	// A process of this id before us was killed: containers give the same ids again.
	if (process.platform !== "win32") fs.rmSync(address, { force: true });

	const server = createServer({ allowHalfOpen: true }, (socket) => void converse(broker, socket));
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		// The socket is made in this very call: at no moment may anybody else open it.
		const before = process.umask(0o177);
		server.listen(address, resolve);
		process.umask(before);
	});
	server.on("error", (error) => broker.logger.warn("Operators are not heard any more.", error));
	server.unref();
	const text = JSON.stringify({ pid, nodeId: broker.nodeID, address } satisfies ControlEntry);
	fs.writeFileSync(entry, `${text}\n`, { mode: 0o600 });
	return () => {
		fs.rmSync(entry, { force: true });
		return new Promise((resolve) => server.close(() => resolve()));
	};
}

async function converse(broker: ServiceBroker, socket: Socket): Promise<void> {
	socket.on("error", () => {});
	try {
		const { action, params } = JSON.parse(await readAll(socket)) as { action: unknown; params: ParamsIn<ActionName> };
		const known = typeof action === "string" && action.startsWith("ops.") && isActionName(action);
		if (!known) throw new Error("Operators' commands reach the actions of `ops`, and no others.");
		const answer = await callAction(broker, action, params, { nodeID: broker.nodeID });
		socket.end(JSON.stringify({ answer }));
	} catch (error) {
		const { detail, errors } = toProblem(error, { instance: "/", requestId: "" });
		socket.end(JSON.stringify({ error: errors?.map(({ path, message }) => `${path}: ${message}`).join("; ") ?? detail }));
	}
}

async function readAll(socket: Socket): Promise<string> {
	let text = "";
	for await (const chunk of socket.setEncoding("utf8")) {
		text += chunk;
		if (text.length > LONGEST_QUESTION) throw new Error("The question is too long.");
	}
	return text;
}
