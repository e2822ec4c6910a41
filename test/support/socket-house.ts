// The socket door alone, on a real broker and port, with small nodes around it that answer at the contract's names and can
// be told to hold, fail or change: what the real ones do only now and then.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Context, ServiceSchema } from "moleculer";
import { ServiceBroker } from "moleculer";
import type { Socket } from "socket.io-client";
import { io } from "socket.io-client";
import { readEnv } from "../../config/env.ts";
import { door } from "../../mixins/door.ts";
import { drainAll } from "../../mixins/drain.ts";
import { roomBus } from "../../mixins/rooms.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import { problem } from "../../services/contracts/errors.ts";
import type { LogEvent } from "../../services/contracts/rooms.ts";
import type { Meta, Params } from "../../services/contracts/index.ts";
import type { Gateway } from "../../services/socket/gateway.ts";
import socketService from "../../services/socket/socket.service.ts";

export const at = "2026-01-01T00:00:00.000Z";

export interface Room {
	members: Set<string>;
	events: LogEvent[];
}

/** Called before an action answers: throw, wait, or look at who called. */
export type Before = (ctx: Context<unknown, Meta>) => unknown;

export async function socketHouse(issuer: (broker: ServiceBroker) => ServiceSchema[] = () => [], environment: Record<string, string> = {}) {
	const env = readEnv({
		NODE_ENV: "test",
		PORT: "0",
		DATA_DIR: "/nonexistent",
		SECRET_KEY: Buffer.alloc(32).toString("base64"),
		PUBLIC_URL: "https://reloop.example",
		CORS_ORIGINS: "https://friend.example",
		LOG_LEVEL: "fatal",
		...environment,
	});
	const broker = new ServiceBroker(brokerOptions(env, { checkAnswers: true }));
	provideSettings(broker, env);
	const rooms = new Map<string, Room>();
	const before = new Map<string, Before>();
	const calls: { name: string; params: unknown; meta: Meta }[] = [];
	/** Members that every group has besides, and who are not here. */
	const crowd = { absent: 0 };
	/** From whom profiles are apart. */
	const apart = new Map<string, string[]>();
	/** What the presence node answers to the door's reports. */
	const reporting = { known: true, told: 0 };

	const node = (name: string, actions: Record<string, (params: never, ctx: Context<unknown, Meta>) => unknown>): ServiceSchema => ({
		name,
		actions: Object.fromEntries(
			Object.entries(actions).map(([method, answer]) => [
				method,
				{
					visibility: "published",
					contract: `${name}.${method}`,
					async handler(ctx: Context<unknown, Meta>) {
						calls.push({ name: `${name}.${method}`, params: ctx.params, meta: { ...ctx.meta } });
						await before.get(`${name}.${method}`)?.(ctx);
						return answer(ctx.params as never, ctx);
					},
				},
			]),
		),
	});
	const open =
		(kind: string) =>
		({ key, after, limit }: Params<"messages.openRoom">, ctx: Context<unknown, Meta>) => {
			const name = `${kind}:${key}`;
			const room = rooms.get(name) ?? (kind === "profile" ? { members: new Set([key]), events: [] } : undefined);
			if (!room) throw problem("not-found");
			if (!room.members.has(ctx.meta.principal?.profileId ?? "")) throw problem(kind === "profile" ? "not-found" : "not-member");
			const head = room.events.length;
			const events = after === undefined ? [] : room.events.slice(after, after + limit);
			return { room: name, head, events, ...(after !== undefined && after + events.length < head ? { more: true } : {}) };
		};
	const post = ({ groupId, content, clientId, kind }: Params<"messages.post">, ctx: Context<unknown, Meta>) => {
		const [event] = say(`group:${groupId}`, 1);
		const by = { profileId: ctx.meta.principal?.profileId ?? "", displayName: "Ana" };
		return { room: `group:${groupId}`, seq: event?.seq ?? 0, id: groupId, at, clientId, kind, content, by, reactions: [], replayed: false };
	};
	const states = ({ ids }: Params<"presence.states">) => ({
		data: ids.map((profileId) => ({ profileId, status: "online", lastSeen: null })),
	});
	broker.createService(socketService);
	for (const schema of [
		node("messages", { openRoom: open("group"), post, read: ({ groupId, seq }: Params<"messages.read">) => ({ groupId, seq, unread: 0 }) }),
		node("notifications", { openRoom: open("profile") }),
		node("groups", {
			memberIds: ({ groupId }: Params<"groups.memberIds">, ctx) => {
				const profileIds = [...(rooms.get(`group:${groupId}`)?.members ?? [])];
				if (!profileIds.includes(ctx.meta.principal?.profileId ?? "")) throw problem("not-member");
				return { profileIds, memberCount: profileIds.length + crowd.absent };
			},
			membersAmong: ({ groupId, profileIds }: Params<"groups.membersAmong">) => ({
				profileIds: profileIds.filter((id) => rooms.get(`group:${groupId}`)?.members.has(id)),
			}),
		}),
		node("blocks", { apart: ({ profileIds }: Params<"blocks.apart">) => ({ apart: profileIds.map((id) => apart.get(id) ?? []) }) }),
		node("presence", {
			group: ({ groupId }: Params<"presence.group">) => {
				const members = [...(rooms.get(`group:${groupId}`)?.members ?? [])];
				return {
					groupId,
					memberCount: members.length + crowd.absent,
					counts: { online: members.length, away: 0, offline: crowd.absent },
					online: members.slice(0, 1).map((profileId) => ({ profileId, status: "online", lastSeen: null })),
					sample: true,
				};
			},
			report: () => ({ ...reporting }),
			set: () => ({}),
			focus: () => ({}),
			lookup: states,
			states,
		}),
		...issuer(broker),
	])
		broker.createService(schema);
	await broker.start();
	door(broker).server.listen(0, "127.0.0.1");
	await once(door(broker).server, "listening");
	const url = `http://127.0.0.1:${(door(broker).server.address() as AddressInfo).port}`;
	const clients = new Set<Socket>();

	/** Makes events the next ones of a room; stored, not yet said. */
	function store(name: string, count: number, content = ""): LogEvent[] {
		const room = rooms.get(name) as Room;
		const first = room.events.length + 1;
		const events = Array.from(
			{ length: count },
			(_, index): LogEvent => ({ room: name, seq: first + index, type: "message", at, by: null, content }),
		);
		room.events.push(...events);
		return events;
	}
	/** Stores events and says them to the room, in one frame. */
	function say(name: string, count: number, content?: string): LogEvent[] {
		const events = store(name, count, content);
		roomBus(broker).publish({ room: name, events });
		return events;
	}

	return {
		broker,
		url,
		env,
		rooms,
		calls,
		before,
		reporting,
		crowd,
		apart,
		/** Tells a change of presence, as the next one. */
		change: (profileId: string, status: string, number = ++reporting.told) =>
			broker.broadcast("presence.changed", { number, profiles: [{ profileId, status, lastSeen: null }] }),
		store,
		say,
		bus: roomBus(broker),
		gateway: (broker.getLocalService("socket") as unknown as { gateway: Gateway }).gateway,
		callsOf: (name: string) => calls.filter((call) => call.name === name),
		room(key: string, ...members: string[]): string {
			const name = `group:${key}`;
			rooms.set(name, { members: new Set(members), events: [] });
			return name;
		},
		/** A stock client that is not connected yet. */
		client(auth: object, options: object = {}): Socket {
			const client = io(url, { transports: ["websocket"], auth, forceNew: true, reconnection: false, ...options });
			clients.add(client);
			return client;
		},
		async stop() {
			for (const client of clients) client.close();
			await door(broker).close(1_000);
			await broker.stop();
		},
		drain: () => {
			door(broker).drain();
			return drainAll(broker);
		},
	};
}

export type SocketHouse = Awaited<ReturnType<typeof socketHouse>>;
