// Moleculer on NATS, where its own transporter falls short: one connection for all of the process, a request that cannot be sent
// fails at once (traps C2), and no request is lost when a process stops (C7).
import { Transporters } from "moleculer";
import type { Msg, Subscription } from "nats";
import { natsOf } from "../nats.ts";
import type { Nats } from "../nats.ts";
import { publish, reader } from "./parts.ts";

/** Ended subscriptions have handed over what was on its way when the server has answered, at the latest after this (ms). */
const DRAIN_MS = 2_000;
const NAMESPACES_SAID = 100;

/** Moleculer's transporter on the connection of nats.ts. */
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

	override send(topic: string, data: Buffer): Promise<void> {
		publish(this.client, topic, data);
		return Promise.resolve();
	}

	#hear(topic: string, cmd: string, queue?: string): Subscription {
		const read = reader();
		return this.client.subscribe(topic, {
			...(queue ? { queue } : {}),
			callback: (error: Error | null, message: Msg) => {
				if (error) return;
				const whole = read(message);
				if (whole) void this.receive(cmd, whole);
			},
		});
	}
}
