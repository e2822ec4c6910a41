// Two nodes for tests of facts: `groups` tells, `gamification` hears and writes down what it heard, in its own database.
import { randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import type { Env } from "../../config/env.ts";
import type { Carrier } from "../../mixins/facts/carrier.ts";
import { LocalCarrier } from "../../mixins/facts/carrier.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import type { Consumer } from "../../mixins/facts/index.ts";
import { factsOf, tellFacts } from "../../mixins/facts/index.ts";
import { receive, workInbox } from "../../mixins/facts/inbox.ts";
import { relayOnce } from "../../mixins/facts/relay.ts";
import { closeNats, connectToNats, provideNats } from "../../mixins/nats.ts";
import type { Db, Queryable, Tx } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";

export const TELLER = "groups";
export const HEARER = "gamification";
/** A poll so rare that no test lives to see it: what happens, happens because somebody was woken. */
export const NEVER = 24 * 3_600_000;

export const cause = { requestId: "request", actor: randomUUID() };

/** A message posted in a group; `n` says which of the group's it is. */
export const posted = (group: string, n: number) => ({
	type: "groups.message.posted" as const,
	aggregate: group,
	payload: { groupId: group, seq: n, messageId: randomUUID(), senderId: randomUUID(), kind: "text", content: `message ${n}` },
});

/** Tells messages `from` to `to` of a group, in one transaction. */
export const tell = (group: string, from: number, to = from) =>
	database(TELLER).tx((tx) =>
		tellFacts(
			tx,
			cause,
			Array.from({ length: to - from + 1 }, (_, i) => posted(group, from + i)),
		),
	);

export const numberOf = (fact: AnyFact): number => (fact.payload as { seq: number }).seq;

/** The table that consumers of tests write into. */
export async function makeEffects(db: Db): Promise<void> {
	await db.query(
		"create table effects (id bigint generated always as identity, consumer text not null, aggregate text not null, n integer not null)",
	);
}

export async function forgetEverything(): Promise<void> {
	await database(TELLER).query("truncate outbox, carrier_told");
	await database(HEARER).query("truncate inbox, effects, carrier_heard");
}

/** Writes down a portion, as consumer `name`. */
export async function note(tx: Queryable, name: string, facts: AnyFact[]): Promise<void> {
	await tx.query(
		"insert into effects (consumer, aggregate, n) select $1, aggregate, n from json_to_recordset($2::json) as f(aggregate text, n integer)",
		[name, JSON.stringify(facts.map((fact) => ({ aggregate: fact.aggregate, n: numberOf(fact) })))],
	);
}

/** What a consumer has written down about a group, in the order in which it did. */
export async function noted(name: string, group: string): Promise<number[]> {
	const rows = await database(HEARER).query<{ n: number }>("select n from effects where consumer = $1 and aggregate = $2 order by id", [
		name,
		group,
	]);
	return rows.map(({ n }) => n);
}

/** The numbers from 1 to `last`. */
export const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

export interface Hearing extends Partial<Consumer> {
	/** Called before a portion is written down: may wait, or throw. */
	before?: (facts: AnyFact[], tx: Tx) => void | Promise<void>;
}

/** A consumer that writes down what it hears. */
export function hearing(name: string, { before, ...options }: Hearing = {}): Consumer {
	return {
		facts: ["groups.message.posted"],
		async handle(facts, tx) {
			await before?.(facts, tx);
			await note(tx, name, facts);
		},
		...options,
	};
}

/** Brings what is in the outbox into the inboxes of these consumers, without waking anybody. */
export async function carry(consumers: Record<string, Consumer>, carrier: Carrier = carrierTo(consumers)): Promise<void> {
	while ((await relayOnce(database(TELLER), TELLER, carrier)) !== null);
}

export function carrierTo(consumers: Record<string, Consumer>): Carrier {
	const carrier = new LocalCarrier();
	for (const [name, consumer] of Object.entries(consumers))
		carrier.register(HEARER, name, new Set(consumer.facts), (facts) => receive(database(HEARER), { [name]: consumer }, facts));
	return carrier;
}

/** A carrier that delivers in another way, and is `inner` in all else. */
export const delivering = (inner: Carrier, deliver: Carrier["deliver"]): Carrier => ({
	register: inner.register.bind(inner),
	next: inner.next.bind(inner),
	onBack: inner.onBack.bind(inner),
	deliver,
});

const idle = new ServiceBroker({ logger: false });

/** Works one portion; answers as `workInbox`, and says which facts failed. */
export async function work(name: string, consumer: Consumer): Promise<{ next: number | null; failed: number[] }> {
	const failed: number[] = [];
	const next = await workInbox(database(HEARER), name, consumer, idle, (fact) => failed.push(numberOf(fact)));
	return { next, failed };
}

/**
 * A process of its own, as far as one broker is: relays for the teller, engines for the hearer. Nobody polls. With `natsUrls`
 * facts go over JetStream.
 */
export async function startProcess(
	consumers: Record<string, Consumer>,
	{ natsUrls, nodes = [TELLER, HEARER] }: { natsUrls?: string[]; nodes?: string[] } = {},
): Promise<ServiceBroker> {
	const broker = new ServiceBroker({ logger: false, skipProcessEventRegistration: true, stopped: closeNats });
	if (natsUrls) {
		provideSettings(broker, { NATS_REPLICAS: natsUrls.length } as Env);
		provideNats(broker, await connectToNats({ NATS_URL: natsUrls } as Env, "test", 0, () => {}));
	}
	const poll = { atLeastEvery: NEVER };
	if (nodes.includes(TELLER)) broker.createService({ name: TELLER, mixins: [factsOf(TELLER, {}, poll)] });
	if (nodes.includes(HEARER)) broker.createService({ name: HEARER, mixins: [factsOf(HEARER, consumers, poll)] });
	await broker.start();
	return broker;
}
