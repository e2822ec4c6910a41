// People with accounts, and their HTTP and socket clients: what stories are told with.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";
import type { Socket } from "socket.io-client";

export interface Reply {
	status: number;
	headers: Headers;
	// Tests read answers as clients do, who have no types.
	// biome-ignore lint/suspicious/noExplicitAny: the body of any answer
	body: any;
}

export interface RequestOptions {
	method?: string;
	token?: string | undefined;
	body?: unknown;
	headers?: Record<string, string>;
	/** A POST comes without an Idempotency-Key. */
	keyless?: boolean;
}

/**
 * One request as a client makes it; the body is parsed where it is JSON. A POST has an Idempotency-Key of its own unless
 * `headers` names one, so that each is held to keeping its answer (config/broker/contracts.ts).
 */
export async function http(url: string, path: string, options: RequestOptions = {}): Promise<Reply> {
	const { token, body, headers = {}, keyless = false, method = body === undefined ? "GET" : "POST" } = options;
	const response = await fetch(new URL(path, url), {
		method,
		headers: {
			...(method === "POST" && !keyless ? { "Idempotency-Key": randomUUID() } : {}),
			...(body === undefined || body instanceof FormData ? {} : { "Content-Type": "application/json" }),
			...(token ? { Authorization: `Bearer ${token}` } : {}),
			...headers,
		},
		...(body === undefined ? {} : { body: typeof body === "string" || body instanceof FormData ? body : JSON.stringify(body) }),
	});
	const text = await response.text();
	return {
		status: response.status,
		headers: response.headers,
		body: text && /json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : text,
	};
}

/** Holds a reply against its status, and a refusal against its code; answers it. */
export function is(reply: Reply, status: number, code?: string): Reply {
	assert.deepEqual([reply.status, reply.body?.code], [status, code], JSON.stringify(reply.body));
	if (code) {
		assert.equal(reply.headers.get("content-type"), "application/problem+json");
		for (const field of ["type", "title", "status", "detail", "instance", "code", "requestId"]) assert.ok(field in reply.body, field);
	}
	return reply;
}

export interface Person {
	email: string;
	password: string;
	accountId: string;
	profileId: string;
	displayName: string;
	accessToken: string;
	refreshToken: string;
	get(path: string): Promise<Reply>;
	send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
	post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

/** Registers somebody new. */
export async function person(url: string, displayName: string): Promise<Person> {
	const email = `${displayName.toLowerCase().replace(/[^a-z0-9]/g, "")}-${randomUUID().slice(0, 8)}@example.org`;
	const password = `circular ${randomUUID().slice(0, 8)}`;
	const made = await http(url, "/api/auth/register", { body: { email, password, displayName } });
	if (made.status !== 201) throw new Error(`register answered ${made.status} ${JSON.stringify(made.body)}`);
	const { account, profile, tokens } = made.body;
	const me: Person = {
		email,
		password,
		accountId: account.id,
		profileId: profile.id,
		displayName,
		accessToken: tokens.accessToken,
		refreshToken: tokens.refreshToken,
		get: (path) => http(url, path, { token: me.accessToken }),
		send: (method, path, body, headers) => http(url, path, { method, token: me.accessToken, body, ...(headers ? { headers } : {}) }),
		post: (path, body = {}, headers = {}) => me.send("POST", path, body, headers),
	};
	return me;
}

/** A public group of `admin`, in which `members` are too; answers its id. */
export async function groupOf(admin: Person, ...members: Person[]): Promise<string> {
	const made = is(await admin.post("/api/groups", { name: "Menders", isPublic: true }), 201);
	for (const member of members) is(await member.post(`/api/groups/${made.body.id}/join`), 200);
	return made.body.id;
}

/** A stock Socket.IO client, connected; rejects with the problem of a refused handshake. */
export function connect(url: string, token: string): Promise<Socket> {
	const socket = io(url, { transports: ["websocket"], auth: { token }, forceNew: true, reconnection: false });
	return new Promise((resolve, reject) => {
		const refused = (error: Error) => {
			socket.close();
			reject(Object.assign(error, { problem: (error as Error & { data?: unknown }).data }));
		};
		// A server that dies between the connection and its answer to the handshake is no error to the client. (A refusal closes
		// the connection, too, and is told right after it.)
		const lost = () => setImmediate(() => refused(new Error("the connection was lost before the handshake was answered")));
		socket.io.once("close", lost);
		socket.once("connect_error", refused);
		socket.once("connect", () => {
			socket.io.off("close", lost);
			socket.off("connect_error", refused);
			// A turned clock (clock.ts) would look like a silent server. The client's own timer asks the same, on the real clock.
			socket.io.engine._hasPingExpired = () => false;
			resolve(socket);
		});
	});
}

/** Says something and waits for the acknowledgement; rejects with the problem. */
// biome-ignore lint/suspicious/noExplicitAny: the result of any event
export function say(socket: Socket, event: string, payload: unknown): Promise<any> {
	return new Promise((resolve, reject) => {
		const gone = () => reject(new Error("the socket was closed before the acknowledgement"));
		socket.once("disconnect", gone);
		socket.emit(event, payload, (error: unknown, result: unknown) => {
			socket.off("disconnect", gone);
			if (error) reject(Object.assign(new Error(`${event} was refused: ${JSON.stringify(error)}`), { problem: error }));
			else resolve(result);
		});
	});
}

/** Gathers the events of one room as a socket hears them. */
// biome-ignore lint/suspicious/noExplicitAny: log events of any type
export function listen(socket: Socket, room: string): any[] {
	// biome-ignore lint/suspicious/noExplicitAny: log events of any type
	const heard: any[] = [];
	socket.on("events", (frame: { room: string; events: unknown[] }) => {
		if (frame.room === room) heard.push(...frame.events);
	});
	return heard;
}
