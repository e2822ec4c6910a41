// The facts mixin: gives a node its relay and, for each consumer it declares, an inbox engine.
//
//   mixins: [factsOf("gamification")],
//   consumers: { awards: { facts: ["groups.message.posted"], handle: award } },
import type { Service, ServiceSchema } from "moleculer";
import { defineMixin } from "../node.ts";
import { database } from "../postgres.ts";
import { isTool } from "../settings.ts";
import { carrierOf } from "./carrier.ts";
import type { Consumer } from "./inbox.ts";
import { forgetHandled, receive, workInbox } from "./inbox.ts";
import { makePartitions } from "./outbox.ts";
import { relayOnce } from "./relay.ts";
import { Worker } from "./worker.ts";

export type { AnyFact, Cause, NewFact } from "./fact.ts";
export type { Consumer } from "./inbox.ts";
export { tellEach, tellFacts } from "./outbox.ts";
export type { Told } from "./outbox.ts";

const SAFETY_POLL = 5_000;
const DAILY = 86_400_000;
/** Facts may lag a little behind (ms): gathering them makes a busy node's portions large and its work small. */
const GATHER = { gather: 10, gatherWhenBusy: 100 };

interface FactsService extends Service {
	factWorkers: Worker[];
	factListeners: (() => Promise<void>)[];
	factHousekeeping: NodeJS.Timeout;
}

/**
 * The mixin of one node. Exactly one service of a node has it; that service lists the node's `consumers`.
 * `atLeastEvery` (ms, default 5 s) is the net under lost notifications: how often relay and engines look without being woken.
 */
export function factsOf(
	node: string,
	consumers: Record<string, Consumer> = {},
	{ atLeastEvery = SAFETY_POLL } = {},
): Partial<ServiceSchema> {
	return defineMixin({
		created(this: FactsService) {
			const carrier = carrierOf(this.broker);
			const db = database(node);
			const engines = new Map<string, Worker>();
			for (const [name, consumer] of Object.entries(consumers)) {
				engines.set(
					name,
					new Worker({
						work: () =>
							workInbox(db, name, consumer, this.broker, (fact, error) =>
								this.logger.warn("a fact failed", { consumer: name, fact: fact.id, type: fact.type, error: String(error) }),
							),
						atLeastEvery,
						...GATHER,
						onError: (error) => this.logger.warn("inbox engine waits", { consumer: name, error: String(error) }),
					}),
				);
			}
			const heard = new Set(Object.values(consumers).flatMap((consumer) => consumer.facts));
			if (heard.size > 0) {
				carrier.register(node, heard, async (facts) => {
					await receive(db, consumers, facts);
					for (const engine of engines.values()) engine.wake();
				});
			}
			const relay = new Worker({
				work: () => relayOnce(db, node, carrier),
				atLeastEvery,
				...GATHER,
				onError: (error) => this.logger.warn("relay waits", { error: String(error) }),
			});
			this.factWorkers = [relay, ...engines.values()];
			this.factListeners = [];
		},

		async started() {
			if (isTool(this.broker)) return;
			const db = database(node);
			const [relay, ...engines] = this.factWorkers;
			const housekeep = async () => {
				await makePartitions(db, new Date());
				await forgetHandled(db, new Date());
			};
			await housekeep();
			this.factHousekeeping = setInterval(
				() => housekeep().catch((error) => this.logger.warn("housekeeping failed", { error: String(error) })),
				DAILY,
			);
			this.factHousekeeping.unref();
			this.factListeners.push(await db.listen(`${node}_outbox`, () => relay?.wake()));
			if (engines.length > 0)
				this.factListeners.push(
					await db.listen(`${node}_inbox`, () => {
						for (const engine of engines) engine.wake();
					}),
				);
			for (const worker of this.factWorkers) worker.start();
		},

		async stopped() {
			clearInterval(this.factHousekeeping);
			await Promise.all(this.factWorkers.map((worker) => worker.stop()));
			await Promise.all(this.factListeners.map((stop) => stop()));
		},
	});
}
