// How a server ends its listening without a reset of anybody who was just let in.
import { readFileSync } from "node:fs";
import { connect, Server as NetServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/** So long (ms) a moment is looked for; then the listening ends as it is. */
const LIMIT_MS = 500;
const ESTABLISHED = "01";

/** Node's way to the socket that listens; it has no other one to shorten its queue. */
type Listening = NetServer & { _handle?: { listen?(backlog: number): number } };

/**
 * Ends the listening; connections that were taken go on, and `close` is told when the last of them has ended. Connections that the
 * system has let in and we have not taken would be reset, and a client cannot tell whether its request was begun. So the system's
 * queue is made as short as it can be, which is one, and the listening ends when the one in it is our own: whoever else comes is not
 * let in, asks again, and is refused, which says that nothing was begun. Where the system shows no table of its connections (Linux
 * does), the listening ends when those that were in the queue at the call are taken.
 */
export async function endListening(server: Listening): Promise<void> {
	const until = performance.now() + LIMIT_MS;
	if (process.platform !== "win32") server._handle?.listen?.(0);
	do await nextTurn();
	while (!(await isFilled(server)) && performance.now() < until);
	// Only the listening ends: that of an HTTP server would also cut connections on which a request is just arriving.
	NetServer.prototype.close.call(server);
}

/** Puts a connection of our own into the queue; true when it is in there, until the event loop goes on. */
async function isFilled(server: NetServer): Promise<boolean> {
	const { port, address, family } = server.address() as AddressInfo;
	const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
	const own = connect({ port, host }).on("error", () => {});
	// Node begins it in the next tick. Nobody is taken out of the queue before we return to the event loop.
	await new Promise<void>((resolve) => process.nextTick(resolve));
	const from = own.localPort;
	setImmediate(() => own.destroy());
	const table = connections(family);
	// A table that cannot be read must not keep the door open.
	if (!table) return true;
	return from !== undefined && table.some(([local, remote, state]) => local === port && remote === from && state === ESTABLISHED);
}

/** Local port, remote port and state (as the kernel numbers them) of each TCP connection; see proc_pid_net(5). Undefined where there is no such table. */
function connections(family: string): [local: number, remote: number, state: string][] | undefined {
	let text: string;
	try {
		text = readFileSync(`/proc/self/net/${family === "IPv6" ? "tcp6" : "tcp"}`, "latin1");
	} catch {
		return undefined;
	}
	const [, ...lines] = text.trimEnd().split("\n");
	return lines.map((line) => {
		const [, local = "", remote = "", state = ""] = line.trim().split(/\s+/);
		return [portOf(local), portOf(remote), state];
	});
}

const portOf = (address: string): number => Number.parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
