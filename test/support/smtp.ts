// A real mail server, as bad as it is told to be.
import { once } from "node:events";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { SMTPServer } from "smtp-server";
import type { SMTPServerOptions } from "smtp-server";

export interface Taken {
	to: string[];
	from: string;
	raw: string;
	messageId: string;
	user: string | undefined;
}

export interface MailServer {
	port: number;
	/** What it took, and promised to deliver. */
	taken: Taken[];
	stop(): Promise<void>;
}

/** What it does with a message that has arrived whole: take it, refuse it, or be gone without a word. */
export type Verdict = "take" | "refuse" | "drop";

/** @param verdict asked for each message, with its Message-ID */
export async function mailServer({
	port = 0,
	verdict = () => "take",
	...options
}: { port?: number; verdict?: (messageId: string) => Verdict } & SMTPServerOptions = {}): Promise<MailServer> {
	const taken: Taken[] = [];
	const server = new SMTPServer({
		authOptional: true,
		disabledCommands: ["STARTTLS"],
		disableReverseLookup: true,
		logger: false,
		onAuth: ({ username, password }, _session, callback) =>
			password?.startsWith("right") ? callback(null, { user: username }) : callback(new Error(`No ${username}, not with ${password}`)),
		onData(stream, session, callback) {
			const chunks: Buffer[] = [];
			stream.on("data", (chunk: Buffer) => chunks.push(chunk));
			stream.on("end", () => {
				const raw = Buffer.concat(chunks).toString("utf8");
				const messageId = /^Message-ID: (.*)\r$/im.exec(raw)?.[1] ?? "";
				const said = verdict(messageId);
				if (said === "refuse") return callback(Object.assign(new Error("Mailbox busy"), { responseCode: 451 }));
				if (said === "drop") {
					// The message is here; the answer never leaves.
					for (const { _socket } of (server as unknown as { connections: Set<{ _socket: { destroy(): void } }> }).connections)
						_socket.destroy();
					return callback();
				}
				const { mailFrom, rcptTo } = session.envelope;
				taken.push({
					from: mailFrom ? mailFrom.address : "",
					to: rcptTo.map(({ address }) => address),
					raw,
					messageId,
					user: session.user,
				});
				callback();
			});
		},
		...options,
	});
	// Clients that go away in the middle are what is tried here.
	server.on("error", () => {});
	server.listen(port, "127.0.0.1");
	await once(server.server, "listening");
	const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
	return { port: (server.server.address() as { port: number }).port, taken, stop };
}

/** A server that takes connections and never says a word, or only `greeting`. */
export async function silentServer(greeting = ""): Promise<{ port: number; connections: () => number; stop: () => Promise<void> }> {
	let open = 0;
	const server: Server = createServer((socket) => {
		open++;
		socket.on("error", () => {});
		socket.on("close", () => open--);
		socket.resume();
		if (greeting) socket.write(greeting);
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		port: (server.address() as { port: number }).port,
		connections: () => open,
		stop: () => new Promise((resolve) => server.close(() => resolve())),
	};
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
	const { port, stop } = await silentServer();
	await stop();
	return port;
}
