// People at the realtime door, with tokens and stock clients: what tests of the door alone are told with.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, beforeEach } from "node:test";
import type { Socket } from "socket.io-client";
import { socketHouse } from "./socket-house.ts";
import { makeIssuer } from "./issuer.ts";
import type { Claims } from "./issuer.ts";

export interface Wire {
	status: number;
	code: string;
	type: string;
	requestId: string;
	errors?: { path: string }[];
	head?: number;
	retryAfter?: number;
}
export type Heard = [what: string, payload: unknown];

export const seqsOf = (payload: unknown) => (payload as { events: { seq: number }[] }).events.map(({ seq }) => seq);

// Tests read what comes as clients do, who have no types.
// biome-ignore lint/suspicious/noExplicitAny: the payload of any event
export const once = (socket: Socket, event: string): Promise<any[]> =>
	new Promise((resolve) => void socket.once(event as never, ((...args: unknown[]) => resolve(args)) as never));

/** The door's house, an issuer of tokens, and people who connect. `environment` is the door's. */
export async function socketPeople(environment: Record<string, string> = {}) {
	const issuer = await makeIssuer();
	const house = await socketHouse(issuer.nodes, environment);
	const connect = async (profileId: string = randomUUID(), claims: Claims = {}) => {
		const sessionId = claims.sessionId ?? randomUUID();
		const token = await issuer.token(profileId, { ...claims, sessionId });
		const socket = house.client({ token });
		const heard: Heard[] = [];
		socket.onAny((event: string, payload: unknown) => heard.push([event, payload]));
		/** Its end, also one that comes with the connection: whoever begins to wait later has not missed it. */
		const ended = once(socket, "disconnect");
		const refusedWith = once(socket, "connect_error").then(([error]) => Promise.reject(new Error(JSON.stringify(error.data))));
		await Promise.race([once(socket, "connect"), refusedWith]);
		const byes = () => heard.filter(([event]) => event === "bye").map(([, payload]) => payload);
		/** Says something; notes when the acknowledgement came. */
		// biome-ignore lint/suspicious/noExplicitAny: the result of any event
		const ask = (event: string, ...payload: unknown[]): Promise<[error: Wire | null, result: any]> =>
			new Promise((resolve) => {
				socket.emit(event, ...payload, (error: Wire | null, result: unknown) => {
					heard.push([`ack ${event}`, error ?? result]);
					resolve([error, result]);
				});
			});
		const ok = async (event: string, ...payload: unknown[]) => {
			const [error, result] = await ask(event, ...payload);
			assert.equal(error, null, JSON.stringify(error));
			return result;
		};
		const refused = async (event: string, ...payload: unknown[]) => {
			const [error] = await ask(event, ...payload);
			assert.ok(error, `${event} was not refused`);
			return error;
		};
		return { socket, profileId, sessionId, token, heard, ended, byes, ask, ok, refused };
	};
	const refusal = async (auth: object, options: object = {}): Promise<Wire> => {
		const socket = house.client(auth, options);
		const [error] = await once(socket, "connect_error");
		return error.data;
	};
	return { house, issuer, connect, refusal };
}

type Client = Awaited<ReturnType<Awaited<ReturnType<typeof socketPeople>>["connect"]>>;

/** The same for a whole file: each test begins with nobody connected, nothing held up and no call on the list. */
export async function doorHouse(environment: Record<string, string> = { RATE_LIMIT_FACTOR: "100000" }) {
	const { house, issuer, connect: enter } = await socketPeople(environment);
	const opened: Client[] = [];
	const connect: typeof enter = async (...args) => {
		const made = await enter(...args);
		opened.push(made);
		return made;
	};
	beforeEach(() => {
		for (const { socket } of opened.splice(0)) socket.close();
		house.before.clear();
		house.calls.length = 0;
	});
	after(() => house.stop());

	/** A group with its first members connected. */
	async function groupOf(members = 1) {
		const groupId = randomUUID();
		const people = await Promise.all(Array.from({ length: members }, () => connect()));
		const room = house.room(groupId, ...people.map(({ profileId }) => profileId));
		return { groupId, room, people, ana: people[0] as Client, ben: people[1] as Client };
	}
	return { house, issuer, connect, opened, groupOf };
}
