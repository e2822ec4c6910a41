// Moleculer on NATS, where its own transporter and discoverer fall short: one connection for all of the process, a request
// that cannot be sent fails at once (traps C2), no request is lost when a process stops (C7), and a dead node is noticed
// within seconds, but not by a process that was itself away.
import { randomUUID } from "node:crypto";
import type { Middleware, ServiceBroker } from "moleculer";
import { Discoverers, Transporters } from "moleculer";
import { headers } from "nats";
import type { Msg, Subscription } from "nats";
import { defineMiddleware } from "./moleculer.ts";
import { natsOf } from "./nats.ts";
import type { Nats } from "./nats.ts";
import { registryOf } from "./registry.ts";

/** Seconds: how often a node says that it lives, and after how long a silence it counts as dead. */
export const HEARTBEAT = { heartbeatInterval: 1, heartbeatTimeout: 3 };
/** So often (ms) silences are looked at; Moleculer would look once in a timeout, and find a death after up to two of them. */
const LOOK_EVERY = 500;
/** Ended subscriptions have handed over what was on its way when the server has answered, at the latest after this (ms). */
const DRAIN_MS = 2_000;

/** The header that says which packet a part belongs to, and whether it is the last. */
const PART = "Reloop-Part";
/** Bytes left for the headers of a part. */
const PART_HEADROOM = 1_024;
const NAMESPACES_SAID = 100;
/** Packets whose last part has not come; more than that, and the oldest is given up. */
const UNFINISHED = 64;

/** Moleculer's transporter on the connection of mixins/nats.ts. */
export class NatsTransporter extends Transporters.NATS {
	#nats: Nats | undefined;
	#stops: (() => void)[] = [];

	override async connect(): Promise<void> {
		const nats = natsOf(this.broker);
		if (!nats) throw new Error("There is no connection to NATS: provideNats() comes before the broker's start.");
		this.#nats = nats;
		this.client = nats.connection;
		this.#stops = [
			nats.onDisconnect(() => {
				this.connected = false;
			}),
			nats.onReconnect(() => {
				this.onConnected(true).catch((error: unknown) => this.logger.error("Nodes could not be told that we are back.", error));
			}),
		];
		await this.onConnected();
		this.#watchNamespaces(nats);
	}

	/** Nodes of another namespace share our NATS, perhaps by mistake: they are not heard, and that is said once. */
	#watchNamespaces(nats: Nats): void {
		const said = new Set([this.prefix]);
		nats.connection.subscribe("*.INFO", {
			callback: (error, { subject }) => {
				const [prefix = ""] = error ? [] : subject.split(".");
				if (!prefix.startsWith("MOL") || said.has(prefix) || said.size > NAMESPACES_SAID) return;
				said.add(prefix);
				this.logger.warn("Nodes of another namespace are on our NATS: they are not heard.", { namespace: prefix.slice(0, 100) });
			},
		});
	}

	/** The connection is not ours to close: others say their last words over it. */
	override async disconnect(): Promise<void> {
		for (const stop of this.#stops) stop();
		this.connected = false;
		if (this.#nats?.connected) await this.#nats.connection.flush();
	}

	override subscribe(cmd: string, nodeID?: string): Promise<void> {
		this.#hear(this.getTopicName(cmd, nodeID), cmd);
		return Promise.resolve();
	}

	override subscribeBalancedRequest(action: string): Promise<void> {
		this.subscriptions.push(this.#hear(`${this.prefix}.REQB.${action}`, "REQ", action));
		return Promise.resolve();
	}

	/**
	 * New subscriptions first, then the old ones end: no request falls between them. An ended one still hands over what the
	 * server had sent before it knew.
	 */
	override async makeBalancedSubscriptions(): Promise<void> {
		const old = this.subscriptions;
		this.subscriptions = [];
		for (const { actions } of this.broker.getLocalNodeInfo().services as { actions?: object }[])
			for (const action of Object.keys(actions ?? {})) await this.subscribeBalancedRequest(action);
		if (old.length === 0 || !this.#nats?.connected) return;
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, DRAIN_MS);
		});
		await Promise.race([Promise.all(old.map((subscription) => subscription.drain().catch(() => {}))), late]);
		clearTimeout(timer);
	}

	/** What is larger than NATS takes goes in parts: an answer of many events. Parts come in order, and whole or not at all. */
	override send(topic: string, data: Buffer): Promise<void> {
		const most = (this.#nats?.connection.info?.max_payload ?? 1_048_576) - PART_HEADROOM;
		if (data.length <= most) {
			this.client.publish(topic, data);
			return Promise.resolve();
		}
		const id = randomUUID();
		for (let from = 0; from < data.length; from += most) {
			const head = headers();
			head.set(PART, `${id} ${from + most >= data.length ? "last" : "more"}`);
			this.client.publish(topic, data.subarray(from, from + most), { headers: head });
		}
		return Promise.resolve();
	}

	#hear(topic: string, cmd: string, queue?: string): Subscription {
		const parts = new Map<string, Buffer[]>();
		return this.client.subscribe(topic, {
			...(queue ? { queue } : {}),
			callback: (error: Error | null, message: Msg) => {
				if (error) return;
				const data = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength);
				const part = message.headers?.get(PART);
				const whole = part ? gather(parts, part, data) : data;
				if (whole) void this.receive(cmd, whole);
			},
		});
	}
}

/** Adds a part; answers the whole when it was the last. What was never finished makes room for others. */
function gather(parts: Map<string, Buffer[]>, part: string, data: Buffer): Buffer | undefined {
	const [id = "", which] = part.split(" ");
	const before = parts.get(id) ?? [];
	before.push(Buffer.from(data));
	parts.set(id, before);
	if (which !== "last") {
		if (parts.size > UNFINISHED) parts.delete(parts.keys().next().value as string);
		return undefined;
	}
	parts.delete(id);
	return Buffer.concat(before);
}

/** Moleculer's discoverer, which looks more often, and takes its own absence for its own. */
export class Discoverer extends Discoverers.Local {
	#lookedAt = 0;
	#absent = false;

	override startHeartbeatTimers(): void {
		super.startHeartbeatTimers();
		clearInterval(this.checkNodesTimer);
		this.#lookedAt = performance.now();
		this.checkNodesTimer = setInterval(() => this.#look(), LOOK_EVERY).unref();
	}

	#look(): void {
		const now = performance.now();
		const slept = now - this.#lookedAt > LOOK_EVERY + 1_000;
		this.#lookedAt = now;
		const away = natsOf(this.broker)?.connected === false;
		// What we did not hear while we were away or asleep says nothing about the others: from now on they have their time.
		if (away || slept || this.#absent) {
			const uptime = Math.round(process.uptime());
			for (const node of registryOf(this.broker).nodes.toArray()) if (!node.local) node.lastHeartbeatTime = uptime;
		} else {
			this.checkRemoteNodes();
		}
		this.#absent = away;
	}
}

/** Refuses packets of nodes that speak another version of Moleculer's protocol, and says so once for each of them. */
export function versionGuard(): Middleware {
	const refused = new Set<string>();
	let broker: ServiceBroker;
	return defineMiddleware({
		name: "VersionGuard",
		created(made: ServiceBroker) {
			broker = made;
		},
		transitMessageHandler:
			(next: (cmd: string, packet: { payload?: { ver?: string; sender?: string } }) => Promise<boolean>) =>
			(cmd: string, packet: { payload?: { ver?: string; sender?: string } }) => {
				const { ver, sender = "somebody" } = packet.payload ?? {};
				if (ver === broker.PROTOCOL_VERSION) return next(cmd, packet);
				if (!refused.has(sender) && refused.size < 1_000) {
					refused.add(sender);
					broker.logger.warn("A node of another protocol version is on our NATS: its packets are refused.", {
						node: sender.slice(0, 100),
						version: String(ver).slice(0, 20),
						ours: broker.PROTOCOL_VERSION,
					});
				}
				return Promise.resolve(false);
			},
	});
}
