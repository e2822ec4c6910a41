// The facts mixin: gives a node its relay and, for each consumer it declares, an inbox engine.
//
//   mixins: [factsOf("gamification")],
//   consumers: { awards: { facts: ["groups.message.posted"], handle: award } },
import type { Service, ServiceSchema } from "moleculer";
import { defineMixin } from "../moleculer.ts";
import { database } from "../postgres.ts";
import { isTool } from "../settings.ts";
import { carrierOf } from "./carrier.ts";
import type { Inlet, Source } from "./carrier.ts";
import type { Consumer } from "./inbox.ts";
import { forgetHandled, receive, workInbox } from "./inbox.ts";
import { makePartitions } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { relayOnce } from "./relay.ts";
import { Worker } from "./worker.ts";

export type { Cause, NewFact } from "./fact.ts";
export { eachFact } from "./consumer.ts";
export type { Consumer } from "./inbox.ts";
export { tellEach, tellFacts } from "./outbox.ts";
export type { Told } from "./outbox.ts";

const SAFETY_POLL = 5_000;
const DAILY = 86_400_000;

interface FactsService extends Service {
	factRelay: Worker;
	factEngines: Worker[];
	/** What fetches facts, where the carrier does not bring them by itself. */
	factSources: { source: Source; worker: Worker }[];
	factListeners: (() => unknown)[];
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
	return defineMixin<FactsService>({
		created() {
			const carrier = carrierOf(this.broker);
			const db = database(node);
			const waits =
				(what: string, more: object = {}) =>
				(error: unknown) =>
					this.logger.warn(`${what} waits`, { ...more, error: String(error) });
			this.factEngines = [];
			this.factSources = [];
			for (const [name, consumer] of Object.entries(consumers)) {
				const engine = new Worker({
					work: () =>
						workInbox(db, name, consumer, this.broker, (fact, error) =>
							this.logger.warn("a fact failed", { consumer: name, fact: fact.id, type: fact.type, error: String(error) }),
						),
					atLeastEvery,
					onError: waits("inbox engine", { consumer: name }),
				});
				this.factEngines.push(engine);
				const inlet: Inlet = async (facts, tx) => {
					await receive(tx ?? db, { [name]: consumer }, facts);
					if (tx) tx.afterCommit(() => engine.wake());
					else engine.wake();
				};
				for (const source of carrier.register(node, name, new Set(consumer.facts), inlet)) {
					const worker = new Worker({ work: () => source.work(), atLeastEvery, onError: waits("source of facts", { consumer: name }) });
					this.factSources.push({ source, worker });
				}
			}
			const pace = new Pace();
			this.factRelay = new Worker({
				work: () => relayOnce(db, node, carrier, (facts) => pace.carried(facts)),
				atLeastEvery,
				gather: () => pace.gather(),
				onError: waits("relay"),
			});
			this.factListeners = [];
		},

		async started() {
			if (isTool(this.broker)) return;
			const db = database(node);
			const { factRelay: relay, factEngines: engines, factSources: sources } = this;
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
			this.factListeners.push(await db.listen(`${node}_outbox`, () => relay.wake()));
			this.factListeners.push(carrierOf(this.broker).onBack(() => relay.retry()));
			if (engines.length > 0)
				this.factListeners.push(
					await db.listen(`${node}_inbox`, () => {
						for (const engine of engines) engine.wake();
					}),
				);
			for (const { source, worker } of sources) this.factListeners.push(source.listen(() => worker.retry()));
			for (const worker of workersOf(this)) worker.start();
		},

		async stopped() {
			clearInterval(this.factHousekeeping);
			await Promise.all(workersOf(this).map((worker) => worker.stop()));
			await Promise.all(this.factListeners.map((stop) => stop()));
		},
	});
}

const workersOf = ({ factRelay, factEngines, factSources }: FactsService): Worker[] => [
	factRelay,
	...factEngines,
	...factSources.map(({ worker }) => worker),
];
