// Clients of a cluster: they know several doors, come back when a connection ends, and write down what became of everything
// they asked for.
import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";
import type { Cluster } from "./cluster.ts";
import type { Asked, Attempt, Heard, LoggedEvent, Outcome } from "./history.ts";
import { keyOf } from "./history.ts";

/** Longer than this (ms) no client waits for an answer; then it does not know. */
const PATIENCE_MS = 15_000;
/** Between two tries to connect (ms). */
const RETRY_MS = 100;

/** Whose doing it is. */
export interface Account {
	profileId: string;
	displayName: string;
	accessToken: string;
}

/** Everything that happened, on one clock. */
export class Journal {
	readonly attempts: Attempt[] = [];
	readonly asked: Asked[] = [];
	readonly heard: Heard[] = [];
	/** Connections that ended, and what for. */
	readonly ended: string[] = [];
}

interface Answer {
	status: number;
	// biome-ignore lint/suspicious/noExplicitAny: tests read answers as clients do, who have no types
	body: any;
}

const refusedConnection = (error: unknown): boolean => {
	const { cause } = error as { cause?: { code?: string; errors?: { code?: string }[] } };
	return [cause, ...(cause?.errors ?? [])].some((each) => each?.code === "ECONNREFUSED");
};

const wordOf = (error: unknown): string => {
	const { cause, name, message } = error as Error & { cause?: { code?: string; message?: string } };
	return cause?.code ?? cause?.message ?? `${name}: ${message}`;
};

/** An HTTP client with a list of doors. It asks one; where nobody listens, the next: once. */
export class HttpClient {
	readonly #cluster: Cluster;
	readonly #journal: Journal;
	#next: number;

	constructor(cluster: Cluster, journal: Journal, first = 0) {
		this.#cluster = cluster;
		this.#journal = journal;
		this.#next = first;
	}

	async request(account: Account | undefined, method: string, path: string, body?: unknown): Promise<Answer> {
		const doors = this.#cluster.doors("api");
		const first = this.#next++ % doors.length;
		const at = performance.now();
		let error: unknown;
		for (const door of [doors[first], doors[(first + 1) % doors.length]]) {
			try {
				const response = await fetch(new URL(path, door), {
					method,
					headers: {
						...(body === undefined ? {} : { "Content-Type": "application/json" }),
						...(account ? { Authorization: `Bearer ${account.accessToken}` } : {}),
					},
					...(body === undefined ? {} : { body: JSON.stringify(body) }),
					signal: AbortSignal.timeout(PATIENCE_MS),
				});
				const text = await response.text();
				const answer = { status: response.status, body: text ? JSON.parse(text) : null };
				const failure = response.ok ? {} : { failure: `${response.status} ${answer.body?.code ?? ""} of ${door}` };
				this.#journal.asked.push({ method, path, at, status: response.status, ...failure });
				return answer;
			} catch (caught) {
				error = caught;
				if (!refusedConnection(caught)) break;
			}
		}
		this.#journal.asked.push({ method, path, at, status: 0, failure: wordOf(error) });
		throw error;
	}

	/** Sends a message and says what is known of it. */
	async send(account: Account, groupId: string, clientId: string, content: string): Promise<Outcome> {
		const room = `group:${groupId}`;
		const attempt = { key: keyOf(room, account.profileId, clientId), room, invoked: performance.now() };
		const ended = (outcome: Outcome, more: Partial<Attempt>): Outcome => {
			this.#journal.attempts.push({ ...attempt, completed: performance.now(), outcome, ...more });
			return outcome;
		};
		try {
			const { status, body } = await this.request(account, "POST", `/api/groups/${groupId}/messages`, { clientId, kind: "text", content });
			if (status === 200 || status === 201) return ended("ok", { seq: body.seq, id: body.id });
			return ended(status < 500 ? "failed" : "unknown", { why: `${status} ${body?.code ?? ""}` });
		} catch (error) {
			return ended("unknown", { why: wordOf(error) });
		}
	}
}

interface RoomAnswer {
	head?: number;
	events: LoggedEvent[];
	more?: true;
	error?: { code?: string };
}

/** A socket client that keeps a copy of every room it listens to, and asks for what it missed whenever it comes back. */
export class SocketClient {
	readonly account: Account;
	readonly name: string;
	readonly rooms = new Map<string, Heard>();
	readonly #cluster: Cluster;
	readonly #journal: Journal;
	readonly #comesBack: boolean;
	#socket: Socket | undefined;
	#door: number;
	#closed = false;
	#wasOpen = false;
	#open = Promise.withResolvers<Socket>();

	constructor(cluster: Cluster, journal: Journal, account: Account, door: number, { comesBack = true } = {}) {
		this.#cluster = cluster;
		this.#comesBack = comesBack;
		this.#journal = journal;
		this.account = account;
		this.#door = door;
		this.name = `${account.displayName} (door ${door})`;
		this.#open.promise.catch(() => {});
	}

	/** Connects, and from then on stays connected, to whichever door lets it in; one that does not come back, until it is cut. */
	async open(): Promise<void> {
		void this.#stay();
		await this.#open.promise;
	}

	/** Whether there is a connection at this moment, and where to. */
	get connectedTo(): string | undefined {
		return this.#socket?.connected ? (this.#socket.io as unknown as { uri: string }).uri : undefined;
	}

	/** Hears everything of a room behind `after`. */
	async listen(groupId: string, after: number): Promise<void> {
		const room = `group:${groupId}`;
		const heard: Heard = { listener: this.name, room, after, events: [] };
		this.#journal.heard.push(heard);
		this.rooms.set(room, heard);
		const socket = this.#socket;
		// Else it is asked for with all others, as soon as there is a connection.
		if (socket?.connected) await this.#resume(socket, [room]).catch(() => socket.disconnect());
	}

	leave(groupId: string): void {
		this.rooms.delete(`group:${groupId}`);
		this.#socket?.emit("group:leave", { groupId }, () => {});
	}

	/** The last seq that it heard of a room. */
	reached(groupId: string): number {
		const heard = this.rooms.get(`group:${groupId}`);
		return heard?.events.at(-1)?.seq ?? heard?.after ?? 0;
	}

	async send(groupId: string, clientId: string, content: string): Promise<Outcome> {
		const room = `group:${groupId}`;
		const socket = await this.#open.promise;
		const attempt = { key: keyOf(room, this.account.profileId, clientId), room, invoked: performance.now() };
		const ended = (outcome: Outcome, more: Partial<Attempt>): Outcome => {
			this.#journal.attempts.push({ ...attempt, completed: performance.now(), outcome, ...more });
			return outcome;
		};
		try {
			// biome-ignore lint/suspicious/noExplicitAny: the acknowledgement of any event
			const result: any = await this.#ask(socket, "message:send", { groupId, clientId, kind: "text", content });
			return ended("ok", { seq: result.seq, id: result.id });
		} catch (error) {
			const { status, code } = (error as { problem?: { status: number; code: string } }).problem ?? {};
			return ended(status !== undefined && status < 500 ? "failed" : "unknown", { why: code ?? String(error) });
		}
	}

	/** Cuts the wire without a word. */
	drop(): void {
		this.#socket?.io.engine.close();
	}

	close(): void {
		this.#closed = true;
		this.#socket?.disconnect();
	}

	async #stay(): Promise<void> {
		while (!this.#closed) {
			const doors = this.#cluster.doors("socket");
			const url = doors[this.#door++ % doors.length] as string;
			const socket = io(url, { transports: ["websocket"], auth: { token: this.account.accessToken }, forceNew: true, reconnection: false });
			try {
				await this.#session(socket);
			} catch (error) {
				this.#journal.ended.push(`${this.name} at ${url}: ${error instanceof Error ? error.message : String(error)}`);
			}
			socket.removeAllListeners();
			socket.disconnect();
			if (this.#socket === socket) {
				this.#socket = undefined;
				this.#open = Promise.withResolvers();
				this.#open.promise.catch(() => {});
			}
			if (!this.#comesBack && this.#wasOpen) this.#closed = true;
			if (!this.#closed) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
		}
		this.#open.reject(new Error(`${this.name} was closed.`));
	}

	/** One connection from its beginning to its end. */
	async #session(socket: Socket): Promise<void> {
		const over = Promise.withResolvers<string>();
		socket.once("disconnect", (reason) => over.resolve(reason));
		await new Promise<void>((resolve, reject) => {
			const late = setTimeout(() => reject(new Error("no answer to the handshake")), PATIENCE_MS);
			socket.once("connect", () => {
				clearTimeout(late);
				resolve();
			});
			socket.once("connect_error", (error) => {
				clearTimeout(late);
				reject(new Error(`the handshake was refused: ${(error as { data?: { code?: string } }).data?.code ?? error.message}`));
			});
		});
		if (this.#closed) return;
		this.#socket = socket;
		let bye = "";
		socket.on("events", (frame: { room: string; events: LoggedEvent[] }) => this.#take(frame.room, frame.events));
		socket.on("pull", ({ room }: { room: string }) => void this.#resume(socket, [room]).catch(() => socket.disconnect()));
		socket.on("bye", ({ reason }: { reason: string }) => {
			bye = ` after bye: ${reason}`;
		});
		this.#resume(socket, [...this.rooms.keys()]).then(
			() => {
				this.#wasOpen = true;
				this.#open.resolve(socket);
			},
			// Not let in by a node that is away: the connection is of no use.
			() => socket.disconnect(),
		);
		const reason = await over.promise;
		if (!this.#closed) throw new Error(`${reason}${bye}`);
	}

	#take(room: string, events: readonly LoggedEvent[]): void {
		this.rooms.get(room)?.events.push(...events);
	}

	/**
	 * Asks until it has caught up. The answer is taken in the acknowledgement itself: live frames come right behind it, and the
	 * next portion is asked for from what was heard until then.
	 */
	async #resume(socket: Socket, rooms: string[]): Promise<void> {
		if (rooms.length === 0) return;
		const from = Object.fromEntries(rooms.map((room) => [room, this.reached(room.slice("group:".length))]));
		const unfinished = await new Promise<string[]>((resolve, reject) => {
			const gone = () => reject(new Error("the connection ended"));
			const late = setTimeout(() => reject(new Error("no acknowledgement")), PATIENCE_MS);
			socket.once("disconnect", gone);
			socket.emit("resume", { rooms: from }, (error: unknown, result?: { rooms: Record<string, RoomAnswer> }) => {
				clearTimeout(late);
				socket.off("disconnect", gone);
				const answers = Object.entries(result?.rooms ?? {});
				const refused = answers.find(([, answer]) => answer.error);
				if (error || refused) return reject(new Error(`resume was refused: ${JSON.stringify(error ?? refused?.[1].error)}`));
				for (const [room, answer] of answers) this.#take(room, answer.events);
				resolve(answers.filter(([, { more }]) => more).map(([room]) => room));
			});
		});
		await this.#resume(socket, unfinished);
	}

	#ask(socket: Socket, event: string, payload: unknown): Promise<unknown> {
		return new Promise((resolve, reject) => {
			const gone = () => finish(() => reject(new Error("the connection ended before the acknowledgement")));
			const late = setTimeout(() => finish(() => reject(new Error("no acknowledgement"))), PATIENCE_MS);
			const finish = (end: () => void) => {
				clearTimeout(late);
				socket.off("disconnect", gone);
				end();
			};
			if (!socket.connected) return gone();
			socket.once("disconnect", gone);
			socket.emit(event, payload, (error: unknown, result: unknown) =>
				finish(() =>
					error ? reject(Object.assign(new Error(`${event} was refused: ${JSON.stringify(error)}`), { problem: error })) : resolve(result),
				),
			);
		});
	}
}
