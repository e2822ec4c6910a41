// The realtime door's state: which sockets are here, which rooms they hear, and what each of them may use up.
import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import type { Namespace } from "socket.io";
import { limiterOf, makeLimiter } from "../../mixins/limits.ts";
import type { Limiter, SharedLimiter } from "../../mixins/limits.ts";
import { callAction } from "../../mixins/call.ts";
import { roomBus } from "../../mixins/rooms.ts";
import { settings } from "../../mixins/settings.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { isKeyName, keyName } from "../../mixins/token/verifier.ts";
import type { ActionName, Answer, ParamsIn } from "../contracts/index.ts";
import { Apart } from "./apart.ts";
import { Interest } from "./presence/interest.ts";
import type { SocketLink } from "./link.ts";
import { tuned } from "./link.ts";
import { PresenceNews } from "./presence/news.ts";
import { PresenceReport } from "./presence/report.ts";
import { Roll } from "./presence/roll.ts";
import { Resync } from "./resync.ts";
import { RoomGate } from "./rooms/gate.ts";

export interface Limits {
	/** Events a socket may send: so many at once, that many more in so many seconds. */
	events: { units: number; seconds: number };
	/** Handshakes of one address. */
	handshakes: { units: number; seconds: number };
	/** Events of one socket that are being answered. */
	inFlight: number;
	/** Rooms one socket may be in. */
	rooms: number;
	socketsPerProfile: number;
	socketsPerAddress: number;
	/** Refused events in a row before the socket is closed. */
	refusals: number;
}

/** RATE_LIMIT_FACTOR multiplies all that counts requests and connections. */
export function limitsFor(factor: number): Limits {
	return {
		events: { units: Math.ceil(120 * factor), seconds: 3 },
		handshakes: { units: Math.ceil(300 * factor), seconds: 10 },
		inFlight: Math.ceil(64 * factor),
		rooms: 256,
		socketsPerProfile: Math.ceil(20 * factor),
		socketsPerAddress: Math.ceil(1_000 * factor),
		refusals: 10_000,
	};
}

/** A node that does not answer in this time (ms) is answered for with 503. */
const PATIENCE = 10_000;
/** The longest a drain waits for the last sockets to go (ms). */
const FAREWELL_MS = 2_000;

export class Gateway {
	readonly broker: ServiceBroker;
	readonly limits: Limits;
	readonly events: Limiter;
	readonly handshakes: SharedLimiter;
	readonly gate: RoomGate;
	readonly apart: Apart;
	readonly interest: Interest;
	readonly presence: PresenceReport;
	readonly news: PresenceNews;
	readonly roll: Roll;
	readonly resync: Resync;
	readonly bus: ReturnType<typeof roomBus>;
	/** What clients asked for that does not exist, since the start. */
	unknownEvents = 0;
	/** Begins the names of this door's sockets at the presence node: by process, so that all go when it goes. */
	readonly instance: string;
	readonly #namespace: () => Namespace;
	readonly #links = new Set<SocketLink>();
	readonly #bySession = new Map<string, Set<SocketLink>>();
	readonly #byProfile = new Map<string, Set<SocketLink>>();
	readonly #byAddress = new Map<string, number>();

	constructor(broker: ServiceBroker, namespace: () => Namespace) {
		this.broker = broker;
		this.instance = `${broker.nodeID}|${randomUUID().slice(0, 8)}`;
		this.#namespace = namespace;
		this.limits = limitsFor(settings(broker).RATE_LIMIT_FACTOR);
		this.events = makeLimiter(this.limits.events);
		this.handshakes = limiterOf(broker, "handshakes", this.limits.handshakes);
		this.bus = roomBus(broker);
		this.apart = new Apart(broker);
		this.gate = new RoomGate({
			bus: this.bus,
			apart: (profileId, other) => this.apart.has(profileId, other),
			broadcast: (room, event, payload, except) => {
				const heard = this.#namespace().to(tuned(room));
				(except.length > 0 ? heard.except(except) : heard).emit(event, payload);
			},
		});
		this.interest = new Interest(this.bus, (profileId, other) => this.apart.has(profileId, other));
		this.news = new PresenceNews(broker, this.interest);
		this.interest.onDoubt = (profileIds) => this.news.doubt(profileIds);
		this.roll = new Roll(broker, this.interest, (follower, action, params) => this.call(follower as SocketLink, action, params));
		this.interest.onMissed = (groupId) => this.roll.doubt(groupId);
		this.apart.onChanged = (profileId, others) => this.interest.apartChanged(this.#byProfile.get(profileId) ?? [], others);
		this.presence = new PresenceReport(broker, this.instance, { told: (last, again) => this.news.told(last, again) });
		this.resync = new Resync(this);
		tokens(broker).onRevoked((id) => {
			for (const link of [...(this.#bySession.get(id) ?? []), ...(this.#byProfile.get(id) ?? [])]) link.end({ reason: "revoked" });
			if (isKeyName(id)) for (const link of this.#links) if (keyName(link.kid) === id) link.end({ reason: "revoked" });
		});
	}

	get links(): ReadonlySet<SocketLink> {
		return this.#links;
	}
	socketsOf(profileId: string): number {
		return this.#byProfile.get(profileId)?.size ?? 0;
	}
	socketsFrom(address: string): number {
		return this.#byAddress.get(address) ?? 0;
	}

	/** From here on the socket counts, and its session's end reaches it. */
	add(link: SocketLink): void {
		this.#links.add(link);
		put(this.#byProfile, link.profileId, link);
		put(this.#bySession, link.principal.sessionId, link);
		this.apart.add(link.profileId);
		this.#byAddress.set(link.address, this.socketsFrom(link.address) + 1);
		this.#expireInTime(link);
	}

	/** The socket is gone: nothing of it stays. Safe to call twice. */
	remove(link: SocketLink): void {
		if (!this.#links.delete(link)) return;
		clearTimeout(link.expiry);
		drop(this.#byProfile, link.profileId, link);
		if (!this.#byProfile.has(link.profileId)) this.apart.remove(link.profileId);
		drop(this.#bySession, link.principal.sessionId, link);
		const left = this.socketsFrom(link.address) - 1;
		if (left > 0) this.#byAddress.set(link.address, left);
		else this.#byAddress.delete(link.address);
		this.gate.forget(link);
		this.interest.forget(link);
	}

	/** The socket lives on with a newer token of the same profile. */
	renew(link: SocketLink, principal: SocketLink["principal"], expiresAt: number, kid: string): void {
		drop(this.#bySession, link.principal.sessionId, link);
		link.principal = principal;
		link.expiresAt = expiresAt;
		link.kid = kid;
		put(this.#bySession, principal.sessionId, link);
		this.#expireInTime(link);
	}

	/** Asks a node as the socket's owner. */
	call<A extends ActionName>(link: SocketLink, name: A, params: ParamsIn<A>, requestId: string = randomUUID()): Promise<Answer<A>> {
		const { principal, address, userAgent } = link;
		return callAction(this.broker, name, params, {
			timeout: PATIENCE,
			meta: { principal, requestId, address, userAgent, socketId: link.id },
		});
	}

	/**
	 * Tells everybody to go elsewhere, in portions over at most `overMs`, so that they do not all come back at once.
	 * Resolves when all have gone, or after a moment of patience.
	 */
	async drain(overMs: number): Promise<void> {
		this.presence.stop();
		const all = [...this.#links];
		const spread = Math.min(overMs, 10 * all.length);
		const portions = Math.min(20, all.length);
		const size = Math.ceil(all.length / portions);
		for (let portion = 0; portion < portions; portion++) {
			for (const link of all.slice(portion * size, (portion + 1) * size)) {
				link.end({ reason: "drain", reconnectAfterMs: Math.floor(100 + Math.random() * 1_900) });
			}
			if (portion < portions - 1) await pause(spread / portions);
		}
		for (const until = Date.now() + FAREWELL_MS; this.#links.size > 0 && Date.now() < until; ) await pause(20);
	}

	#expireInTime(link: SocketLink): void {
		clearTimeout(link.expiry);
		// A timer holds at most 24.8 days; a token that lives longer is looked at again then.
		const left = Math.min(link.expiresAt - Date.now(), 2 ** 31 - 1);
		link.expiry = setTimeout(
			() => (Date.now() >= link.expiresAt ? link.end({ reason: "expired" }) : this.#expireInTime(link)),
			Math.max(0, left),
		);
		link.expiry.unref();
	}
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function put<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
	const set = index.get(key) ?? new Set();
	set.add(value);
	index.set(key, set);
}

function drop<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
	const set = index.get(key);
	set?.delete(value);
	if (set?.size === 0) index.delete(key);
}
