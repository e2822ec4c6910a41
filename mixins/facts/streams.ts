// The streams of facts in JetStream: one for each node that tells, made by whoever needs it first, and the same by everybody.
import type { JetStreamManager, StreamInfo } from "nats";
import { DiscardPolicy, NatsError, nanos, RetentionPolicy, StorageType } from "nats";
import type { Nats } from "../nats.ts";
import { NAMESPACE } from "../nats.ts";

/** Days for which a stream keeps a fact: so long may a consumer be away, or not be there yet, and miss nothing. */
export const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;
const DEDUPE_MS = 120_000;
const NOT_FOUND = "404";

export const streamOf = (node: string): string => `FACTS_${node}`;
/** A fact's name begins with the node that tells it: so does what follows here. */
export const subjectOf = (type: string): string => `${NAMESPACE}.facts.${type}`;
export const tellerOf = (type: string): string => type.slice(0, type.indexOf("."));
/** Where a relay says that it carried something; may be lost. */
export const hintOf = (node: string): string => `${NAMESPACE}.told.${node}`;

export const isMissing = (error: unknown): boolean => error instanceof NatsError && error.code === NOT_FOUND;

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
	try {
		return await manager.streams.info(streamOf(node));
	} catch (error) {
		if (!isMissing(error)) throw error;
	}
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
