// MongoDB, where MONGO_URL names one: a collection as a Moleculer service, made of moleculer-db and its adapter. The service has no
// action at all (the mixin's own take a caller's query as it comes): what it holds is asked for here, by the process that holds it.
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import type MongoDbAdapter from "moleculer-db-adapter-mongo";
import { refusal } from "../../config/refusal.ts";
import { endAbandoned } from "./abandoned.ts";
import { DATABASE_UNAVAILABLE } from "../postgres.ts";

/** A document's fields, operators and all: the driver comes without types. */
export type Query = Record<string, unknown>;
interface Cursor<T> {
	sort(order: Query): Cursor<T>;
	limit(count: number): Cursor<T>;
	project(fields: Query): Cursor<T>;
	toArray(): Promise<T[]>;
}
export interface Collection<T> {
	find(query: Query): Cursor<T>;
	findOne(query: Query): Promise<T | null>;
	aggregate<R>(stages: Query[]): Cursor<R>;
	insertOne(document: T, options?: Query): Promise<unknown>;
	insertMany(documents: readonly T[], options?: Query): Promise<unknown>;
	updateOne(query: Query, change: Query): Promise<unknown>;
	updateMany(query: Query, change: Query, options?: Query): Promise<unknown>;
	deleteMany(query: Query): Promise<unknown>;
	createIndex(keys: Query, options?: Query): Promise<string>;
}
interface Session {
	startTransaction(options: Query): void;
	commitTransaction(): Promise<void>;
	abortTransaction(): Promise<void>;
	endSession(): void;
}
interface Database {
	command(command: Query): Promise<Query>;
	collection<T>(name: string, options: Query): Collection<T>;
}
interface Client {
	startSession(): Session;
	db(name?: string): Database;
	close(): Promise<void>;
}
type Adapter = MongoDbAdapter & { client?: Client; db?: Database };
type Holder = Service & { adapter: Adapter };

/** A write counts when a majority has it on disk, and only that is read: what can be taken back by a failover was never there. */
const DURABLE = { writeConcern: { w: "majority", wtimeout: 3_000 }, readConcern: { level: "majority" } };
/** A server that is away is noticed within seconds: who waits for it is told so, and asks again. */
const OPTIONS = {
	useUnifiedTopology: true,
	useNewUrlParser: true,
	ignoreUndefined: true,
	// It would not bridge a restart; what is tried again here is tried knowing what the first try may have done.
	retryWrites: false,
	serverSelectionTimeoutMS: 1_000,
	connectTimeoutMS: 2_000,
	socketTimeoutMS: 3_000,
	heartbeatFrequencyMS: 1_000,
	poolSize: 10,
	...DURABLE,
};

/** How long (ms) a question is asked again while the server is away, and how often. */
const PATIENCE_MS = 4_000;
const AGAIN_MS = 50;
/** No longer (ms) than a stopping service is waited for. */
const FINISH_MS = 6_000;

/** Errors of the server that say "not now": it is stopping, not the primary, has only just begun, or somebody else was in the way. */
const PASSING = new Set([6, 7, 43, 64, 89, 91, 112, 133, 134, 189, 237, 246, 251, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436]);

/** True for what may be different the next time. Of a write it does not say that it did not take place. */
export function mayPass(error: unknown): boolean {
	const { name = "", code, errorLabels } = error as { name?: string; code?: unknown; errorLabels?: unknown };
	const transient = Array.isArray(errorLabels) && errorLabels.includes("TransientTransactionError");
	return transient || PASSING.has(code as number) || /^Mongo(Network|NetworkTimeout|ServerSelection|Timeout|WriteConcern)Error$/.test(name);
}

/** The name of the unique index that a write ran into. */
export function takenIndex(error: unknown): string | undefined {
	const { code, message = "" } = error as { code?: unknown; message?: string };
	return code === 11000 ? (/index: (\S+) dup key/.exec(message)?.[1] ?? "") : undefined;
}

/** The same word as for PostgreSQL, so that doors and mailboxes do with it what they do there. */
export const unavailable = (cause: unknown): Error =>
	Object.assign(new Error("The message log does not answer.", { cause }), { code: DATABASE_UNAVAILABLE });

/** Does `work` again while the server is away, for a few seconds; then the error says "not now". */
export async function patiently<R>(work: () => Promise<R>): Promise<R> {
	const until = performance.now() + PATIENCE_MS;
	for (;;) {
		try {
			return await work();
		} catch (error) {
			if (!mayPass(error)) throw error;
			if (performance.now() > until) throw unavailable(error);
			await pause(AGAIN_MS);
		}
	}
}

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

// Loaded only where there is a MONGO_URL: the driver would cost every other start a tenth of a second.
const load = createRequire(import.meta.url);

function adapterOf(url: string): Adapter {
	const Mongo = load("moleculer-db-adapter-mongo") as new (url: string, options: Query, database: string) => Adapter;
	return new Mongo(url, OPTIONS, URL.parse(url)?.pathname.slice(1) || "reloop");
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
			for (const { keys, options: index } of options.indexes) await collection.createIndex(keys, index);
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

const ANSWER_MS = 5_000;

/** Wrong for good, however long one waits. */
const FINAL = [
	{ says: /Authentication failed|auth failed|not authorized|requires authentication/i, sentence: "the server refuses this login" },
	{ says: /MongoParseError|ENOTFOUND _mongodb|URI|must be specified/i, sentence: "this is no URL that the driver understands" },
];

/** The name of the replica set that answers; none where a server stands alone. */
async function setName(adapter: Adapter): Promise<unknown> {
	adapter.init(
		{} as ServiceBroker,
		{ schema: { collection: "check" }, logger: { info() {}, warn() {}, error() {} } } as unknown as Service,
	);
	await adapter.connect();
	return (await adapter.client?.db("admin").command({ isMaster: 1 }))?.setName;
}

/**
 * Looks whether the server of MONGO_URL can be used, before anything is started: waits for one that is not there yet, and
 * throws a sentence about one that is wrong.
 */
export async function checkMongo(
	{ MONGO_URL }: { MONGO_URL?: string | undefined },
	patienceMs: number,
	say: (sentence: string) => void,
): Promise<void> {
	if (MONGO_URL === undefined) return;
	const until = performance.now() + patienceMs;
	for (let said = false; ; said = true) {
		const adapter = adapterOf(MONGO_URL);
		const answered = new AbortController();
		try {
			// With some wrong options the driver neither asks nor gives up.
			const late = pause(ANSWER_MS, undefined, { signal: answered.signal }).then(() =>
				Promise.reject(new Error("The driver does not answer.")),
			);
			late.catch(() => {});
			if (await Promise.race([setName(adapter), late])) return;
			throw refusal("MONGO_URL must name a replica set (one member is enough): only there are writes of several documents whole.");
		} catch (error) {
			const { message, name, sentence } = error as Error & { sentence?: true };
			if (sentence) throw error;
			const wrong = FINAL.find(({ says }) => says.test(`${name} ${message}`));
			if (wrong) throw refusal(`MONGO_URL: ${wrong.sentence}.`, error);
			if (performance.now() > until)
				throw refusal("MONGO_URL: no server answers. Is MongoDB running, its replica set initiated, and reachable from here?", error);
			if (!said) say("MONGO_URL: no server answers yet; waiting for it.");
			await pause(500);
		} finally {
			answered.abort();
			adapter.client?.close().catch(() => {});
		}
	}
}
