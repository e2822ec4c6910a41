// The streams of facts in JetStream: one for each node that tells, made by whoever needs it first, and the same by everybody.
import { randomUUID } from "node:crypto";
import type { JetStreamManager, StreamInfo } from "nats";
import { DiscardPolicy, NatsError, nanos, RetentionPolicy, StorageType } from "nats";
import type { Nats } from "../nats.ts";
import { NAMESPACE } from "../nats.ts";

/** Days for which a stream keeps a fact: so long may a consumer be away, or not be there yet, and miss nothing. */
export const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;
const DEDUPE_MS = 120_000;
const NOT_FOUND = "404";
const UNAVAILABLE = "503";
export const JETSTREAM_AWAY = "JetStream does not answer: is it on (nats-server -js), and has it a leader?";
/** In a stream's metadata. */
const BEGUN = "reloop-begun";

export const streamOf = (node: string): string => `FACTS_${node}`;
/** A fact's name begins with the node that tells it: so does what follows here. */
export const subjectOf = (type: string): string => `${NAMESPACE}.facts.${type}`;
export const tellerOf = (type: string): string => type.slice(0, type.indexOf("."));
/** Where a relay says that it carried something; may be lost. */
export const hintOf = (node: string): string => `${NAMESPACE}.told.${node}`;

/** What was asked of NATS and is not answered when the connection breaks never will be: this says so at once. */
export async function whileConnected<T>(nats: Nats, asked: Promise<T>): Promise<T> {
	const gone = Promise.withResolvers<never>();
	const stop = nats.onDisconnect(() => gone.reject(new Error("NATS is away.")));
	try {
		return await Promise.race([asked, gone.promise]);
	} finally {
		stop();
		// It may fail later, when nobody waits for it any more.
		asked.catch(() => {});
	}
}

/** The stream of a node, as it is; made where it is missing. */
export async function streamFor(manager: JetStreamManager, node: string, replicas: number): Promise<StreamInfo> {
	const present = await found(manager.streams.info(streamOf(node)));
	if (present) return present;
	return manager.streams.add({
		name: streamOf(node),
		subjects: [`${NAMESPACE}.facts.${node}.>`],
		storage: StorageType.File,
		retention: RetentionPolicy.Limits,
		discard: DiscardPolicy.Old,
		max_age: nanos(KEEP_DAYS * DAY_MS),
		duplicate_window: nanos(DEDUPE_MS),
		num_replicas: replicas,
	});
}

/** Which stream it is: another one when it was made anew, or begun anew by `beginAnew`. */
export const identityOf = ({ created, config }: StreamInfo): string => [created, config.metadata?.[BEGUN]].filter(Boolean).join(" ");

/** What `beginAnew` called it; empty where it never was. */
export const beginningOf = (identity: string): string => identity.split(" ")[1] ?? "";

/** Facts are taken from it at its head alone, by age: anything else that is missing was lost. */
export const hasHoles = ({ state: { messages, first_seq, last_seq } }: StreamInfo): boolean =>
	messages > 0 && messages !== last_seq - first_seq + 1;

/**
 * Empties a stream, makes it another one, and has all its consumers made again. (Not deleted and made anew: nats-server clears
 * up behind a deletion later, and a stream of the same name made meanwhile has the old messages in it.)
 */
export async function beginAnew(manager: JetStreamManager, node: string): Promise<StreamInfo> {
	const name = streamOf(node);
	const { config } = await manager.streams.info(name);
	await manager.streams.update(name, { metadata: { ...config.metadata, [BEGUN]: randomUUID() } });
	await manager.streams.purge(name);
	for await (const { name: consumer } of manager.consumers.list(name)) await found(manager.consumers.delete(name, consumer));
	return manager.streams.info(name);
}

/** Undefined where JetStream does not know what was asked for. */
export async function found<T>(answer: Promise<T>): Promise<T | undefined> {
	try {
		return await answer;
	} catch (error) {
		const code = error instanceof NatsError ? error.code : undefined;
		if (code === NOT_FOUND) return undefined;
		if (code === UNAVAILABLE) throw new Error(JETSTREAM_AWAY, { cause: error });
		throw error;
	}
}
