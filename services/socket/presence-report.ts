// Tells the presence node which sockets opened and closed: in order for each socket, again until it has heard. A missed
// "closed" would leave somebody online for ever.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../mixins/node.ts";

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** A client that asks about presence waits at most so long (ms) for its own arrival to be known. */
const HEARD_WITHIN = 2_000;

async function within(done: Promise<unknown>, ms: number): Promise<void> {
	const late = Promise.withResolvers<void>();
	const timer = setTimeout(late.resolve, ms);
	await Promise.race([done, late.promise]);
	clearTimeout(timer);
}

export class PresenceReport {
	readonly #broker: ServiceBroker;
	/** What is still to be told of each connection. */
	readonly #under = new Map<string, Promise<void>>();
	#stopped = false;

	constructor(broker: ServiceBroker) {
		this.#broker = broker;
	}

	connected(connectionId: string, profileId: string): void {
		this.#tell("presence.connected", connectionId, profileId);
	}

	disconnected(connectionId: string, profileId: string): void {
		this.#tell("presence.disconnected", connectionId, profileId);
	}

	/** Resolves when what was said of this socket has been heard; or, the presence node being away, when there is no use in waiting. */
	async heard(connectionId: string): Promise<void> {
		const told = this.#under.get(connectionId);
		if (told) await within(told, HEARD_WITHIN);
	}

	/** Resolves when all is told, or after `ms`. */
	async settled(ms: number): Promise<void> {
		await within(Promise.all(this.#under.values()), ms);
	}

	/** The process ends: nobody is told anything more. */
	stop(): void {
		this.#stopped = true;
	}

	#tell(action: "presence.connected" | "presence.disconnected", connectionId: string, profileId: string): void {
		const told = (this.#under.get(connectionId) ?? Promise.resolve()).then(() => this.#until(action, { connectionId, profileId }));
		this.#under.set(connectionId, told);
		void told.finally(() => {
			if (this.#under.get(connectionId) === told) this.#under.delete(connectionId);
		});
	}

	async #until(action: "presence.connected" | "presence.disconnected", params: { connectionId: string; profileId: string }): Promise<void> {
		for (let pause = FIRST_PAUSE; !this.#stopped; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
			try {
				await callAction(this.#broker, action, params, { timeout: 5_000 });
				return;
			} catch (error) {
				this.#broker.logger.debug("The presence node did not hear; trying again.", { action, error: String(error) });
				await new Promise<void>((resolve) => void setTimeout(resolve, pause).unref());
			}
		}
	}
}
