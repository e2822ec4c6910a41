// Ports of this machine.
import { randomBytes } from "node:crypto";
import net from "node:net";

export function isFree(port: number): Promise<boolean> {
	if (!port) return Promise.resolve(false);
	return new Promise((resolve) => {
		const probe = net.createServer();
		probe.once("error", () => resolve(false));
		probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
	});
}

/** Below the range from which systems take ports for outgoing connections: such a port stays ours between two starts. */
export async function freePort(): Promise<number> {
	for (;;) {
		const port = 20_000 + (randomBytes(2).readUInt16BE() % 12_000);
		if (await isFree(port)) return port;
	}
}
