/**
 * A real PostgreSQL for whoever has installed none: the server binary comes with npm, the data lives in DATA_DIR.
 *
 * The server is spawned detached, so that Ctrl-C reaches Node alone and Node can finish its work before it stops the
 * database. The price: after kill -9 of Node the server lives on. The next start adopts it (same data directory, living
 * process, our password opens it); if it died too, PostgreSQL recovers from its log as after any crash.
 *
 * Several processes may use one DATA_DIR at once (`npm start` and `npm run migrate`): each is registered in
 * `postgres.users/`, and only the last one that leaves stops the server.
 */
import fs from "node:fs";
import path from "node:path";
import { adopt } from "./embedded-postgres/adopt.ts";
import { start } from "./embedded-postgres/launch.ts";
import { type EmbeddedOptions, settle } from "./embedded-postgres/place.ts";
import { isServerOf } from "./embedded-postgres/postmaster.ts";
import { ownerUrl } from "./embedded-postgres/settings.ts";
import { isRegistered, leave, register } from "./embedded-postgres/users.ts";
import { withLock } from "./lock-file.ts";

export type { EmbeddedOptions };

export interface Embedded {
	/** Connects as the superuser of this server, over TCP on 127.0.0.1. */
	ownerUrl: string;
	port: number;
	/** Process id of the postmaster; another one after the server was started again. */
	readonly pid: number;
	/** Stops the server (fast shutdown, everything is on disk) unless another living process uses the same DATA_DIR. */
	stop(): Promise<void>;
}

const WATCH_MS = 500;

/**
 * Starts, or adopts, the server of a DATA_DIR and answers when it accepts connections.
 * Throws an Error whose message is a sentence for the operator.
 */
export async function startEmbedded(dataDir: string, options: EmbeddedOptions = {}): Promise<Embedded> {
	fs.mkdirSync(dataDir, { recursive: true });
	const home = fs.realpathSync(dataDir);
	const lock = path.join(home, "postgres.lock");
	return withLock(lock, async () => {
		const place = settle(home, options);
		let pid = (await adopt(place)) ?? (await start(place));
		const ticket = register(home);
		const rest = keepAlive(
			() => isServerOf(pid, place.data),
			() =>
				withLock(lock, async () => {
					if (!isRegistered(ticket)) return;
					pid = (await adopt(place)) ?? (await start(place));
					options.say?.("PostgreSQL had ended and was started again.");
				}),
		);
		return {
			ownerUrl: ownerUrl(place.memory),
			port: place.memory.port,
			get pid() {
				return pid;
			},
			stop: () => {
				rest();
				return withLock(lock, () => leave(place, ticket));
			},
		};
	});
}

/** A server that was killed, by somebody or for want of memory, is started again; answers what ends the watch. */
function keepAlive(lives: () => boolean, revive: () => Promise<void>): () => void {
	let busy = false;
	const timer = setInterval(() => {
		if (busy || lives()) return;
		busy = true;
		revive()
			.catch(() => {}) // it is tried again at the next look
			.finally(() => {
				busy = false;
			});
	}, WATCH_MS);
	timer.unref();
	return () => clearInterval(timer);
}
