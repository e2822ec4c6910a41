// What a door may have missed in a cluster, where frames and changes of presence can be lost: asks how far its rooms are, the
// groups too whose members are followed, and how those are whom its sockets follow. When NATS was away, when a process died, and now and then in any case. It asks
// once for each room and profile, however many sockets there are.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { natsOf } from "../../mixins/nats.ts";
import { callAction } from "../../mixins/call.ts";
import type { Gateway } from "./gateway.ts";
import type { RoomName } from "./rooms/name.ts";
import { groupRoom, parseRoom } from "./rooms/name.ts";

/** In any case so often (ms). */
const EVERY = 15_000;
/** After an event that may have lost something, wait so long (ms): others are coming back too. */
const SOON = 300;
/** And once more after so long (ms): what was on its way then has arrived. */
const AGAIN = 2_500;
/** So long (ms) a frame may take from the commit to here. */
const ON_ITS_WAY = 500;
/** As many at once as the nodes answer. */
const PORTION = 500;

export class Resync {
	readonly #gateway: Gateway;
	readonly #broker: ServiceBroker;
	#timers = new Set<NodeJS.Timeout>();
	#interval: NodeJS.Timeout | undefined;
	#running: Promise<void> = Promise.resolve();

	constructor(gateway: Gateway) {
		this.#gateway = gateway;
		this.#broker = gateway.broker;
	}

	/** In a process of its own nothing is lost, and nothing needs to be asked. */
	start(): void {
		const nats = natsOf(this.#broker);
		if (!nats) return;
		const soon = () => {
			this.#in(SOON);
			this.#in(AGAIN);
		};
		nats.onReconnect(soon);
		this.#broker.localBus.on("$node.disconnected", soon);
		this.#interval = setInterval(() => this.#ask(), EVERY);
		this.#interval.unref();
	}

	stop(): void {
		clearInterval(this.#interval);
		for (const timer of this.#timers) clearTimeout(timer);
	}

	#in(ms: number): void {
		if (this.#timers.size >= 4) return;
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			this.#ask();
		}, ms);
		this.#timers.add(timer.unref());
	}

	/** One round after another. */
	#ask(): void {
		this.#running = this.#running
			.then(() => {
				this.#gateway.news.doubt(this.#gateway.interest.profiles());
				this.#gateway.apart.refresh();
				return this.#rooms();
			})
			.then(
				() => {},
				(error: unknown) => {
					this.#broker.logger.debug("What was missed could not be asked for; it is asked again.", { error: String(error) });
					this.#in(AGAIN);
				},
			);
	}

	async #rooms(): Promise<void> {
		const { gate, interest } = this.#gateway;
		const known: [room: RoomName, head: number][] = [];
		const names = new Set([...gate.rooms(), ...interest.groups().map(groupRoom)]);
		const rooms = [...names].map((name) => parseRoom(name) as RoomName);
		for (const [action, of] of Map.groupBy(rooms, ({ heads }) => heads)) {
			for (let from = 0; from < of.length; from += PORTION) {
				const portion = of.slice(from, from + PORTION);
				const { heads } = await callAction(
					this.#broker,
					action,
					{ keys: portion.map(({ key }) => key) },
					{ meta: { requestId: randomUUID() } },
				);
				for (const [at, room] of portion.entries()) known.push([room, heads[at] ?? 0]);
			}
		}
		// A frame that is stored may still be on its way here: only who has not heard it after a moment has missed it.
		await pause(ON_ITS_WAY);
		for (const [{ name, key }, head] of known) {
			gate.remind(name, head);
			if (name === groupRoom(key)) interest.remind(key, head);
		}
	}
}
