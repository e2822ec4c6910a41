// The realtime door. moleculer-io gives it the server, the handshake and the hooking up of the table of events; its generic
// `call` event, its actions, and its ways of changing a socket's identity and rooms are closed (traps I1 to I8).
import type { Service, ServiceSchema } from "moleculer";
import SocketGateway from "moleculer-io";
import type { Server, Socket } from "socket.io";
import { addressReader } from "../../mixins/address.ts";
import { door, doorHealth } from "../../mixins/door.ts";
import { onDrain } from "../../mixins/drain.ts";
import { defineService } from "../../mixins/moleculer.ts";
import { implement } from "../../mixins/service.ts";
import { allowedOrigins } from "../../mixins/origins.ts";
import { settings } from "../../mixins/settings.ts";
import type { SignalPayload } from "../contracts/index.ts";
import type { PresenceChanged } from "../contracts/presence.ts";
import { dispatch, unknownEvent } from "./dispatch.ts";
import { checkEvents, events } from "./events.ts";
import { joinFrames } from "./frames.ts";
import { Gateway } from "./gateway.ts";
import type { AnyRun } from "./handler.ts";
import { admit, refusal } from "./handshake.ts";
import type { SocketLink } from "./link.ts";
import { openOwnRoom } from "./rooms/own-room.ts";
import { showGateway } from "./shown.ts";

interface SocketService extends Service {
	server: unknown;
	io: Server;
	gateway: Gateway;
	origins: string[];
	addressOf: (socket: Socket) => string;
	socketAuthorize?: unknown;
}

/** A dead link is noticed within 10 s: a ping every 5 s, and 5 s for its answer. */
const PING = { pingInterval: 5_000, pingTimeout: 5_000 };
/** Above the largest message that could be valid, so that most that is too long still gets a problem for an answer. */
const MAX_PACKET_BYTES = 256 * 1024;
/** A connection that has not shown its token after this (ms) is closed. */
const CONNECT_TIMEOUT = 5_000;
/** The time over which a drain spreads the farewells (ms). */
const DRAIN_MS = 1_500;

const linkOf = (socket: Socket): SocketLink => (socket.data as { link: SocketLink }).link;
const serviceOf = (socket: Socket): SocketService => (socket as Socket & { $service: SocketService }).$service;

function hear(event: string, run: AnyRun) {
	return function (this: Socket, ...args: unknown[]): void {
		void dispatch(serviceOf(this).gateway, linkOf(this), event, run, args);
	};
}

/** Refuses whatever calls it: what moleculer-io would do on its own account. */
const refuse = (what: string) => (): never => {
	throw new Error(`${what} is closed: identity and rooms of a socket are the gateway's.`);
};

export default defineService<SocketService>({
	name: "socket",
	mixins: [SocketGateway as Partial<ServiceSchema>],

	settings: {
		// Functions and origins have no business in other processes.
		$secureSettings: ["io"],
		io: {
			options: {},
			namespaces: {
				"/": {
					authorization: true,
					events: {
						// Left out, moleculer-io's own would let clients call any action. It is never reached: no contract has it.
						call(this: Socket, ...args: unknown[]) {
							unknownEvent(serviceOf(this).gateway, args);
						},
						...Object.fromEntries(Object.entries(events).map(([event, run]) => [event, hear(event, run)])),
					},
				},
			},
		},
	},

	actions: { call: false, broadcast: false, getClients: false, ...implement("socket", { health: (ctx) => doorHealth(ctx.broker) }) },

	events: {
		"presence.changed": {
			handler(this: SocketService, { params }: { params: PresenceChanged }) {
				this.gateway.news.heard(params);
			},
		},
		"groups.apart": {
			handler(this: SocketService, { params }: { params: SignalPayload<"groups.apart"> }) {
				this.gateway.apart.heard(params.profileIds, params.apart);
			},
		},
	},

	methods: {
		/** Answers nothing: what it returned would become the identity of all sockets of the connection (trap I3). */
		async socketAuthorize(socket: Socket): Promise<void> {
			try {
				(socket.data as { link: SocketLink }).link = await admit(this.gateway, socket, this.addressOf, this.origins);
			} catch (error) {
				const refused = refusal(error);
				if ((refused.data as { status: number }).status >= 500) this.logger.warn("A handshake failed.", { error });
				throw refused;
			}
		},
		socketSaveUser: refuse("Saving an identity"),
		socketSaveMeta: refuse("Saving an identity"),
		socketJoinRooms: refuse("Joining rooms for a socket"),
		socketLeaveRoom: refuse("Leaving rooms for a socket"),
	},

	created() {
		checkEvents();
		// Without it moleculer-io would let everybody in, with a warning (trap I2).
		if (typeof this.socketAuthorize !== "function") throw new Error("The socket door has no authorizer.");
		const reader = addressReader(settings(this.broker).TRUST_PROXY);
		this.addressOf = (socket) => reader(socket.request);
		this.origins = allowedOrigins(this.broker);
		this.server = door(this.broker).server;
		this.gateway = new Gateway(this.broker, () => this.io.of("/"));
		(this.settings as { io: { options: unknown } }).io.options = {
			path: "/socket.io",
			transports: ["websocket", "polling"],
			cors: { origin: this.origins, credentials: true },
			maxHttpBufferSize: MAX_PACKET_BYTES,
			connectTimeout: CONNECT_TIMEOUT,
			perMessageDeflate: false,
			serveClient: false,
			...PING,
		};
		onDrain(this.broker, () => this.gateway.drain(DRAIN_MS));
		showGateway(this.gateway);
	},

	started() {
		this.gateway.resync.start();
		this.gateway.presence.start();
		joinFrames(this.io.of("/").adapter);
		this.io.of("/").on("connection", (socket) => {
			const link = linkOf(socket);
			socket.once("disconnect", () => {
				this.gateway.remove(link);
				this.gateway.presence.disconnected(link.connectionId);
			});
			this.gateway.presence.connected(link.connectionId, link.profileId);
			// Revoked, or told to go, while it shook hands.
			if (link.ended || !this.gateway.links.has(link)) return void socket.disconnect(true);
			socket.use((packet, next) => {
				const [event, ...args] = packet as unknown[];
				if (typeof event === "string" && Object.hasOwn(events, event)) next();
				else if (!link.ended) unknownEvent(this.gateway, args);
			});
			void openOwnRoom(this.gateway, link, socket.id);
		});
	},

	stopped() {
		this.gateway.resync.stop();
		this.gateway.presence.stop();
		this.gateway.apart.stop();
		this.gateway.roll.stop();
	},
});
