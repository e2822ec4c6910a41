// Tells the presence node which sockets are here: what opened and closed at once, in portions, again until it has heard; and
// about once a second that this door lives. What it says is a state, not a story: where the node has lost it (it began anew,
// Redis was emptied, it took this door for dead) it is told everything again.
import type { ServiceBroker } from "moleculer";
import { natsOf } from "../../../mixins/nats.ts";
import { callAction } from "../../../mixins/call.ts";
import { nodesOf } from "../../../mixins/owners.ts";
import { problem } from "../../contracts/errors.ts";
import type { DoorReport } from "../../contracts/presence.ts";

/** At the latest after so long (ms) the node hears of this door again; after four times that it would take it for dead. */
const BEAT = 1_000;
/** A node that does not answer in this time (ms) is one to be asked again: another process of it may answer. */
const PATIENCE = 700;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 1_000;
const PORTION = 500;

/** A client that asks about presence waits at most so long (ms) for its own arrival to be known. */
const HEARD_WITHIN = 2_000;

async function within(done: Promise<unknown>, ms: number): Promise<void> {
	const late = Promise.withResolvers<void>();
	const timer = setTimeout(late.resolve, ms);
	await Promise.race([done, late.promise]);
	clearTimeout(timer);
}

export interface ReportListener {
	/** The node said, about once a second, which change it told last. `again`: it knows all of this door, and did not before. */
	told(number: number, again: boolean): void;
}

export class PresenceReport {
	readonly #broker: ServiceBroker;
	readonly #instance: string;
	readonly #listener: ReportListener;
	/** The sockets that are here, by connection, and the room that is looked at on each. */
	readonly #open = new Map<string, { profileId: string; looks: string | null }>();
	/** Connections of which the node has not heard whether they are open. */
	readonly #untold = new Set<string>();
	/** Connections that the node has heard to be open. */
	readonly #heard = new Set<string>();
	#under: ReadonlySet<string> = new Set();
	#no = 0;
	#begun = false;
	#sure = false;
	#away = false;
	#round = Promise.withResolvers<void>();
	#wake: (() => void) | undefined;
	#stopped = false;

	constructor(broker: ServiceBroker, instance: string, listener: ReportListener) {
		this.#broker = broker;
		this.#instance = instance;
		this.#listener = listener;
	}

	start(): void {
		void this.#run();
	}

	connected(connectionId: string, profileId: string): void {
		this.#open.set(connectionId, { profileId, looks: null });
		this.#untold.add(connectionId);
		this.#wake?.();
	}

	disconnected(connectionId: string): void {
		this.#open.delete(connectionId);
		this.#untold.add(connectionId);
		this.#wake?.();
	}

	/**
	 * What is looked at on a socket, for when all has to be said again: the node is told of it besides. Answers what it was before;
	 * undefined where the socket is gone.
	 */
	looks(connectionId: string, room: string | null): string | null | undefined {
		const socket = this.#open.get(connectionId);
		if (!socket) return undefined;
		const before = socket.looks;
		socket.looks = room;
		return before;
	}

	/** Resolves when what was said of this socket has been heard; or, the presence node being away, when there is no use in waiting. */
	async heard(connectionId: string): Promise<void> {
		const isHeard = () => !this.#untold.has(connectionId) && !this.#under.has(connectionId);
		await within(
			this.#until(() => isHeard() || this.#away),
			HEARD_WITHIN,
		);
	}

	/**
	 * The process is leaving, and its people go elsewhere: that they left here is no news. What they do not do within a few
	 * seconds, the end of this process tells, or its silence.
	 */
	stop(): void {
		this.#stopped = true;
		this.#wake?.();
	}

	async #until(done: () => boolean): Promise<void> {
		while (!done() && !this.#stopped) await this.#round.promise;
	}

	async #run(): Promise<void> {
		let pause = FIRST_PAUSE;
		let toldAt = Number.NEGATIVE_INFINITY;
		while (!this.#stopped) {
			try {
				const { known, told, begin } = await this.#report();
				if (!known) {
					this.#sure = false;
					if (begin) throw new Error("It does not know what it was told just now.");
					continue;
				}
				pause = FIRST_PAUSE;
				const all = this.#untold.size === 0;
				const again = all && !this.#sure;
				if (again || performance.now() - toldAt >= BEAT) {
					toldAt = performance.now();
					this.#listener.told(told, again);
				}
				if (!all) continue;
				this.#sure = true;
				await this.#sleep(BEAT, true);
			} catch (error) {
				this.#broker.logger.debug("The presence node did not hear; trying again.", { error: String(error) });
				this.#sure = false;
				await this.#sleep(pause, false);
				pause = Math.min(LONGEST_PAUSE, pause * 2);
			}
		}
		this.#round.resolve();
	}

	/** One portion of what is untold; with nothing to tell, a sign of life. */
	async #report(): Promise<{ known: boolean; told: number; begin: boolean }> {
		const begin = !this.#begun;
		if (begin) {
			this.#heard.clear();
			this.#untold.clear();
			for (const connectionId of this.#open.keys()) this.#untold.add(connectionId);
		}
		const portion = new Set<string>();
		const opened: DoorReport["opened"] = [];
		const closed: string[] = [];
		for (const connectionId of this.#untold) {
			if (portion.size >= PORTION) break;
			const socket = this.#open.get(connectionId);
			if (!socket) closed.push(connectionId);
			else opened.push({ connectionId, profileId: socket.profileId, ...(socket.looks === null ? {} : { looks: socket.looks }) });
			portion.add(connectionId);
		}
		const came = opened.filter(({ connectionId }) => !this.#heard.has(connectionId)).length;
		const went = closed.filter((connectionId) => this.#heard.has(connectionId)).length;
		// What changes while this is under way is untold again.
		for (const connectionId of portion) this.#untold.delete(connectionId);
		this.#under = portion;
		try {
			// In turn: one that hangs must not be asked twice running, or this door would be taken for dead.
			const nodes = nodesOf(this.#broker, "presence.report");
			const nodeID = nodes.includes(this.#broker.nodeID) ? this.#broker.nodeID : nodes[(this.#no + 1) % nodes.length];
			const unreachable = nodeID !== this.#broker.nodeID && natsOf(this.#broker)?.connected === false;
			if (nodeID === undefined || unreachable) throw problem("unavailable");
			const params = { instance: this.#instance, no: ++this.#no, begin, count: this.#heard.size + came - went, opened, closed };
			const answer = await callAction(this.#broker, "presence.report", params, { timeout: PATIENCE, nodeID });
			for (const { connectionId } of opened) this.#heard.add(connectionId);
			for (const connectionId of closed) this.#heard.delete(connectionId);
			this.#begun = answer.known;
			this.#away = false;
			return { ...answer, begin };
		} catch (error) {
			this.#away = true;
			for (const connectionId of portion) this.#untold.add(connectionId);
			throw error;
		} finally {
			this.#under = new Set();
			this.#round.resolve();
			this.#round = Promise.withResolvers();
		}
	}

	/** @param wakes whether something new to tell ends it */
	async #sleep(ms: number, wakes: boolean): Promise<void> {
		if (this.#stopped || (wakes && this.#untold.size > 0)) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, ms);
			timer.unref();
			this.#wake = () => {
				if (!wakes && !this.#stopped) return;
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = undefined;
	}
}
