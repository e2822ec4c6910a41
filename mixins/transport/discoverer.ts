// Which nodes live: a dead one is noticed within seconds, but not by a process that was itself away.
import { Discoverers } from "moleculer";
import { natsOf } from "../nats.ts";
import { registryOf } from "../registry.ts";

/** Seconds: how often a node says that it lives, and after how long a silence it counts as dead. */
export const HEARTBEAT = { heartbeatInterval: 1, heartbeatTimeout: 3 };
/** So often (ms) silences are looked at; Moleculer would look once in a timeout, and find a death after up to two of them. */
const LOOK_EVERY = 500;

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
