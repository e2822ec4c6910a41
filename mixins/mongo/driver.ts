// MongoDB's driver as moleculer-db's adapter brings it: it comes without types, and these are what we use of it.
import { createRequire } from "node:module";
import type MongoDbAdapter from "moleculer-db-adapter-mongo";

/** A document's fields, operators and all: the driver comes without types. */
export type Query = Record<string, unknown>;
export interface Cursor<T> {
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
	countDocuments(query: Query): Promise<number>;
	updateOne(query: Query, change: Query): Promise<unknown>;
	updateMany(query: Query, change: Query, options?: Query): Promise<unknown>;
	bulkWrite(changes: readonly Query[], options?: Query): Promise<unknown>;
	deleteMany(query: Query): Promise<unknown>;
	createIndex(keys: Query, options?: Query): Promise<string>;
}
export interface Session {
	startTransaction(options: Query): void;
	commitTransaction(): Promise<void>;
	abortTransaction(): Promise<void>;
	endSession(): void;
}
export interface Database {
	command(command: Query): Promise<Query>;
	collection<T>(name: string, options: Query): Collection<T>;
}
export interface Client {
	startSession(): Session;
	db(name?: string): Database;
	close(): Promise<void>;
}
/** Of the service that it is for it takes the collection's name and a logger. */
interface AdaptersService {
	schema: { collection: string };
	logger: { info(text: string): void; warn(text: string): void; error(text: string): void };
}
export interface Adapter extends Omit<MongoDbAdapter, "init"> {
	init(broker: object, service: AdaptersService): void;
	client?: Client;
	db?: Database;
}

/** A write counts when a majority has it on disk, and only that is read: what can be taken back by a failover was never there. */
export const DURABLE = { writeConcern: { w: "majority", wtimeout: 3_000 }, readConcern: { level: "majority" } };
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

// Loaded only where there is a MONGO_URL: the driver would cost every other start a tenth of a second.
export const load = createRequire(import.meta.url);

export function adapterOf(url: string): Adapter {
	const Mongo = load("moleculer-db-adapter-mongo") as new (url: string, options: Query, database: string) => Adapter;
	return new Mongo(url, OPTIONS, URL.parse(url)?.pathname.slice(1) || "reloop");
}
