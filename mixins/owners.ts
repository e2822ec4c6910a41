// Whose an actor is: of the processes that run its service, the one that rendezvous hashing names. Everybody who knows the
// same processes comes to the same order, without asking anybody. The owner is an optimisation: the store is the fence.
import type { ServiceBroker } from "moleculer";
import { natsOf } from "./nats.ts";
import { perBroker } from "./per-broker.ts";
import { registryOf } from "./registry.ts";

/** The processes that offer an action at present, this one among them where it does. */
export function nodesOf(broker: ServiceBroker, action: string): string[] {
	return (registryOf(broker).actions.get(action)?.endpoints ?? []).filter((endpoint) => endpoint.isAvailable).map(({ id }) => id);
}

/** FNV-1a over both names, mixed at the end so that names that differ in one letter lie far apart. */
function weight(node: string, key: string): number {
	let hash = 0x811c9dc5;
	for (const text of [node, "\u0000", key]) {
		for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
	}
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}

/** The processes in the order in which they are to be asked about a key (Thaler and Ravishankar, 1998): the owner first. */
export function inOrder(nodes: readonly string[], key: string): string[] {
	return nodes
		.map((node) => ({ node, weight: weight(node, key) }))
		.sort((one, other) => other.weight - one.weight || (one.node < other.node ? -1 : 1))
		.map(({ node }) => node);
}

/** A process that was asleep for longer (ms) may have been taken for dead, and its actors taken over. */
const ASLEEP_MS = 2_000;
const TICK_MS = 250;

/**
 * So long (ms) after any of that, or after a process of the service came or went, nobody keeps anything: the others may not have heard of it
 * yet, and still ask, and write at, whom they took for the owner. Heartbeats come every second.
 */
const SETTLE_MS = 5_000;

export interface Ownership {
	/** May this process keep in memory what it knows of a key? Not where another one writes it, or may have. */
	mine(key: string): boolean;
	/**
	 * Called when what is kept may be out of date: all of it after a sleep or an absence; when processes came or went, what is
	 * not ours any more.
	 */
	onDoubt(listener: (all: boolean) => void): void;
}

/**
 * Ownership of the keys of one service (named by one of its actions). In a single process all is ours, and nothing is ever in doubt.
 */
export function ownership(broker: ServiceBroker, action: string): Ownership {
	const nats = natsOf(broker);
	if (!nats) return { mine: () => true, onDoubt() {} };
	const { events, awake } = watch(broker);
	const listeners = new Set<(all: boolean) => void>();
	let settledAt = 0;
	const doubt = (all: boolean) => {
		settledAt = performance.now() + SETTLE_MS;
		for (const listener of listeners) listener(all);
	};
	let members = "";
	events.add((lost) => {
		// Who comes and goes without this service changes nothing: a gateway that dies must not cost what is kept of every group.
		const now = nodesOf(broker, action).sort().join();
		if (lost || now !== members) doubt(lost);
		members = now;
	});
	return {
		mine: (key) =>
			awake() && performance.now() >= settledAt && nats.connected && inOrder(nodesOf(broker, action), key)[0] === broker.nodeID,
		onDoubt: (listener) => void listeners.add(listener),
	};
}

/** What may change who owns what: `lost` where this process was itself away or asleep. */
const watch = perBroker((broker) => {
	const events = new Set<(lost: boolean) => void>();
	let seen = performance.now();
	const raise = (lost: boolean) => {
		for (const hear of events) hear(lost);
	};
	/** Asked before anything in memory is believed: after a sleep the timer may not have had its turn yet. */
	const awake = (): boolean => {
		const now = performance.now();
		const slept = now - seen > ASLEEP_MS;
		seen = now;
		if (slept) raise(true);
		return !slept;
	};
	const timer = setInterval(awake, TICK_MS);
	timer.unref();
	natsOf(broker)?.onDisconnect(() => raise(true));
	natsOf(broker)?.onReconnect(() => raise(true));
	for (const event of ["$services.changed", "$node.connected", "$node.updated", "$node.disconnected"])
		broker.localBus.on(event, () => raise(false));
	broker.localBus.on("$broker.stopped", () => clearInterval(timer));
	return { events, awake };
});
