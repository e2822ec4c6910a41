// The way to NATS for what is not Moleculer's: rooms and facts. One connection per process, beside the transporter's, that
// never gives up. What is said while it is away is lost: whoever says it must be able to say it again.
import { readFileSync } from "node:fs";
import type { ServiceBroker } from "moleculer";
import { type ConnectionOptions, connect, credsAuthenticator, Events, type NatsConnection, type TlsOptions } from "nats";
import type { Env } from "../config/env.ts";

/** The first word of every subject of ours, and Moleculer's namespace. */
export const NAMESPACE = "reloop";

export interface Nats {
	readonly connection: NatsConnection;
	readonly connected: boolean;
	/** Called each time the connection is there again: what was said and heard meanwhile is lost. Answers how to take it back. */
	onReconnect(listener: () => void): () => void;
	onDisconnect(listener: () => void): () => void;
}

const known = new WeakMap<ServiceBroker, Nats>();

/** The connection of this broker's process; undefined where it runs alone, without NATS_URL. */
export const natsOf = (broker: ServiceBroker): Nats | undefined => known.get(broker);

/** Noticed within 4 s where no packet says so: a server that hangs, a cable that was pulled. */
const PING = { pingInterval: 2_000, maxPingOut: 2 };
/** So often (ms) a connection that was lost is tried again. */
const RETRY_MS = 250;

const readable = (name: string, file: string | undefined): string | undefined => {
	if (file === undefined) return undefined;
	try {
		return readFileSync(file, "utf8");
	} catch {
		throw sentence(`${name} names a file that cannot be read.`);
	}
};

const sentence = (text: string, cause?: unknown): Error => Object.assign(new Error(text, { cause }), { sentence: true });

type NatsEnv = Pick<Env, "NATS_URL" | "NATS_CREDS_FILE" | "NATS_TLS_CA" | "NATS_TLS_CERT" | "NATS_TLS_KEY">;

/** What every connection to NATS is made with: servers, login and TLS, by URL and by files. Throws a sentence about a bad file. */
export function natsOptions(env: NatsEnv): ConnectionOptions {
	const urls = (env.NATS_URL ?? []).map((url) => new URL(url));
	const login = urls.find(({ username }) => username !== "");
	const creds = readable("NATS_CREDS_FILE", env.NATS_CREDS_FILE);
	const ca = readable("NATS_TLS_CA", env.NATS_TLS_CA);
	const cert = readable("NATS_TLS_CERT", env.NATS_TLS_CERT);
	const key = readable("NATS_TLS_KEY", env.NATS_TLS_KEY);
	const tls: TlsOptions | undefined =
		ca || cert || urls.some(({ protocol }) => protocol === "tls:")
			? { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
			: undefined;
	const word = (text: string) => decodeURIComponent(text);
	return {
		servers: urls.map(({ host }) => host),
		...(login ? (login.password ? { user: word(login.username), pass: word(login.password) } : { token: word(login.username) }) : {}),
		...(creds ? { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) } : {}),
		...(tls ? { tls } : {}),
		...PING,
		reconnect: true,
		maxReconnectAttempts: -1,
		reconnectTimeWait: RETRY_MS,
		reconnectJitter: 100,
		timeout: 5_000,
	};
}

/** What NATS says when waiting would not help. */
const FINAL = /^(AUTHORIZATION_VIOLATION|AUTHENTICATION_EXPIRED|AUTHENTICATION_TIMEOUT|BAD_CREDS|BAD_AUTHENTICATION|INVALID_URL)$/;

/** What TLS says of a certificate that is not the right one: waiting makes it no better. */
const UNTRUSTED = /^(ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_)/;

/**
 * Connects, and waits for servers that are not there yet for `patienceMs`: in Kubernetes they may start later than we do.
 * Throws a sentence naming NATS_URL when they do not come, or at once when they refuse us.
 */
export async function connectToNats(env: NatsEnv, name: string, patienceMs: number, say: (text: string) => void): Promise<NatsConnection> {
	const options = { ...natsOptions(env), name };
	const until = performance.now() + patienceMs;
	for (let said = false; ; ) {
		let connection: NatsConnection | undefined;
		try {
			connection = await connect(options);
			// Facts are carried by JetStream: its first answer may take until its servers have found each other.
			await connection.jetstreamManager();
			return connection;
		} catch (error) {
			const { code = "" } = error as { code?: string };
			await connection?.close().catch(() => {});
			if (FINAL.test(code)) throw sentence(`NATS_URL: the server refuses this login (${code.toLowerCase().replaceAll("_", " ")}).`, error);
			if (UNTRUSTED.test(code)) throw sentence(`NATS_URL: the server's certificate is not trusted (${code}). See NATS_TLS_CA.`, error);
			if (performance.now() > until && connection)
				throw sentence("NATS_URL: this NATS has no JetStream, which carries the facts. Start it with -js.", error);
			if (performance.now() > until)
				throw sentence(`NATS_URL: no server answers (${code || "no connection"}). Is NATS running, and reachable from here?`, error);
			if (!said) say(`NATS_URL: no ${connection ? "JetStream" : "server"} answers yet; waiting for it.`);
			said = true;
			await new Promise((resolve) => setTimeout(resolve, 500));
		}
	}
}

/** Gives the broker its connection; ends with `closeNats`. */
export function provideNats(broker: ServiceBroker, connection: NatsConnection): Nats {
	let connected = true;
	const back = new Set<() => void>();
	const gone = new Set<() => void>();
	const tell = (listeners: Set<() => void>): void => {
		for (const listener of listeners) {
			try {
				listener();
			} catch (error) {
				broker.logger.error("What follows a change of the connection to NATS failed.", error);
			}
		}
	};
	const add = (listeners: Set<() => void>, listener: () => void) => {
		listeners.add(listener);
		return () => void listeners.delete(listener);
	};
	const watch = async (): Promise<void> => {
		for await (const { type } of connection.status()) {
			if (type === Events.Disconnect && connected) {
				connected = false;
				broker.logger.warn("NATS is away; trying until it is back.");
				tell(gone);
			} else if (type === Events.Reconnect && !connected) {
				connected = true;
				broker.logger.info("NATS is back.");
				tell(back);
			}
		}
		connected = false;
	};
	void watch();
	const nats: Nats = {
		connection,
		get connected() {
			return connected;
		},
		onReconnect: (listener) => add(back, listener),
		onDisconnect: (listener) => add(gone, listener),
	};
	known.set(broker, nats);
	return nats;
}

/** Says what is still to be said, and closes. Safe to call where there is no connection. */
export async function closeNats(broker: ServiceBroker): Promise<void> {
	const nats = known.get(broker);
	if (!nats || nats.connection.isClosed()) return;
	// A server that is away must not hold up the end of a process.
	const late = new Promise<void>((resolve) => void setTimeout(resolve, 1_000).unref());
	if (nats.connected) await Promise.race([nats.connection.flush().catch(() => {}), late]);
	await Promise.race([nats.connection.close().catch(() => {}), late]);
}
