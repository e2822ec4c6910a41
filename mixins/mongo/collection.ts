// MongoDB, where MONGO_URL names one: a collection as a Moleculer service, made of moleculer-db and its adapter. The service has no
// action at all (the mixin's own take a caller's query as it comes): what it holds is asked for here, by the process that holds it.
import { setTimeout as pause } from "node:timers/promises";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { endAbandoned } from "./abandoned.ts";
import { type Adapter, adapterOf, type Client, type Collection, type Database, DURABLE, load, type Query } from "./driver.ts";
import { AGAIN_MS, mayPass, PATIENCE_MS, unavailable } from "./errors.ts";

type Holder = Service & { adapter: Adapter };

/** No longer (ms) than a stopping service is waited for. */
const FINISH_MS = 6_000;

export interface Index {
	keys: Query;
	options: Query & { name: string };
}

export interface MongoOptions {
	url: string;
	/** Of the Moleculer service that holds the collection. */
	service: string;
	collection: string;
	indexes: readonly Index[];
	/** Services of this broker that use it: while one of them finishes its work the connection stays. */
	users?: readonly string[] | undefined;
	/** Called when the collection can be used, and before the connection is closed. */
	opened?(): void;
	closing?(): Promise<void>;
}

export interface MongoLink<T> {
	/** Rejects with "not now" where the connection has not been made in a while. */
	collection(): Promise<Collection<T>>;
	/** Writes several documents, all or nothing. */
	insertAll(documents: readonly T[]): Promise<void>;
	/** Whether the server answers within two seconds. */
	healthy(): Promise<boolean>;
}

/** Services of a broker stop side by side, each when the calls it has taken are answered: so long they are listed as busy. */
async function finished(broker: ServiceBroker, names: readonly string[]): Promise<void> {
	const until = performance.now() + FINISH_MS;
	const busy = () =>
		names.some((name) => (broker.getLocalService(name) as { _trackedContexts?: unknown[] } | null)?._trackedContexts?.length);
	while (busy() && performance.now() < until) await pause(AGAIN_MS);
}

/** All or nothing: a transaction, where there is more than one. */
async function insertAtOnce<T>(collection: Collection<T>, client: Client, documents: readonly T[]): Promise<void> {
	const [first, second] = documents;
	if (first && !second) {
		await collection.insertOne(first);
		return;
	}
	const session = client.startSession();
	try {
		session.startTransaction({ writeConcern: DURABLE.writeConcern });
		await collection.insertMany(documents, { session, ordered: true });
		await session.commitTransaction();
	} catch (error) {
		// Else the server would hold what was written half until it tires of waiting.
		await session.abortTransaction().catch(() => {});
		throw error;
	} finally {
		session.endSession();
	}
}

/** Makes the service that holds a collection; it connects with the broker's other services, and leaves with them. */
export function mongoCollection<T>(broker: ServiceBroker, options: MongoOptions): MongoLink<T> {
	const mixin = load("moleculer-db") as ServiceSchema;
	let connection: { collection: Collection<T>; client: Client; db: Database } | undefined;
	const { promise: connected, resolve } = Promise.withResolvers<void>();
	const schema: ServiceSchema & { adapter: Adapter; collection: string; afterConnected: (this: Holder) => Promise<void> } = {
		name: options.service,
		mixins: [mixin],
		adapter: adapterOf(options.url),
		collection: options.collection,
		actions: Object.fromEntries(Object.keys(mixin.actions ?? {}).map((name) => [name, false as const])),
		// Moleculer copies what a schema holds: the adapter that is connected is the service's.
		async afterConnected() {
			const { client, db } = this.adapter;
			if (!client || !db) return;
			const collection = db.collection<T>(options.collection, DURABLE);
			try {
				for (const { keys, options: index } of options.indexes) await collection.createIndex(keys, index);
			} catch (error) {
				// moleculer-db tries again each second, each time with a client of its own.
				await client.close().catch(() => {});
				throw error;
			}
			connection = { collection, client, db };
			resolve();
			options.opened?.();
		},
		methods: {
			async disconnect(this: Holder) {
				await finished(broker, options.users ?? []);
				await options.closing?.();
				await this.adapter.client?.close();
			},
		},
	};
	broker.createService(schema);
	const open = async () => {
		if (!connection) await Promise.race([connected, pause(PATIENCE_MS, undefined, { ref: false })]);
		if (!connection) throw unavailable("not connected yet");
		return connection;
	};
	return {
		collection: async () => (await open()).collection,

		async insertAll(documents) {
			const { collection, client } = await open();
			try {
				await insertAtOnce(collection, client, documents);
			} catch (error) {
				// What is in the way may be a transaction that nobody will end.
				if (mayPass(error)) await endAbandoned(client.db("admin")).catch(() => {});
				throw error;
			}
		},

		async healthy() {
			const asked = Promise.resolve(connection?.db.command({ ping: 1 })).then(Boolean, () => false);
			return Promise.race([asked, pause(2_000, false, { ref: false })]);
		},
	};
}
