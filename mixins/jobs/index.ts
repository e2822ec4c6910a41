// Jobs: what waits for its time (expiries, mail, sweeps). A node names them once, plans them in its transactions, and any process
// that runs the node does them. Underneath is graphile-worker (config/decisions/0017-jobs.md).
//
//   export const notesJobs = jobsOf("notes", {
//   	expire: ({ noteId }: { noteId: string }, { db, cause }) => db.tx(async (tx) => { … }),
//   	sweep: { every: "hourly", run: ({ at, db }) => sweep(db, at) },
//   	ask: { lanes: 2, run: ({ url }: { url: string }) => askSomebody(url) },
//   });
//
//   await notesJobs.plan(tx, "expire", { noteId }, { at: expiresAt, key: noteId });   // the same key again moves it
//   await notesJobs.cancel(tx, "expire", noteId);
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { refusal } from "../../config/refusal.ts";
import type { Cause } from "../facts/index.ts";
import { newId } from "../id.ts";
import { defineMixin } from "../moleculer.ts";
import { needsOf } from "../parts.ts";
import { perBroker } from "../per-broker.ts";
import { database } from "../postgres.ts";
import type { Db, Tx } from "../postgres.ts";
import { isTool } from "../settings.ts";
import { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine.ts";
import type { Every } from "./every.ts";
import { cancelJobs, planJob, planJobs } from "./queue.ts";

export interface JobTools {
	/** Now. */
	at: Date;
	/** The node's database. A job that takes long takes no transaction for all of it. */
	db: Db;
	/** Of the facts it tells: nobody's request, and nobody's doing. */
	cause: Cause;
	broker: ServiceBroker;
	/** Aborted when the process stops and has waited long enough: what can be left undone is done again elsewhere. */
	signal: AbortSignal;
}

/**
 * Does a job. It runs at least once, seldom twice (its process died before that was noted): written to be safe twice, and to look
 * whether its reason still holds. A throw has it tried again later. The payload travels as JSON.
 */
export type Task = (payload: never, tools: JobTools) => unknown;

/** A job that comes by itself: once in the cluster at each of its times; when nobody was there, once as soon as somebody is. */
export interface Recurring {
	every: Every;
	lanes?: never;
	run(tools: JobTools): unknown;
}

/**
 * A job with lanes of its own, so many at the same time in one process: what it waits for (a server outside that hangs) holds up no
 * other job of the node, and none of those holds it up.
 */
export interface Apart {
	lanes: number;
	every?: never;
	run: Task;
}

export type Tasks = Record<string, Task | Recurring | Apart>;

type Planned<T extends Tasks> = { [K in keyof T]: T[K] extends Task | Apart ? K : never }[keyof T] & string;
type PayloadOf<T> = T extends (payload: infer P, ...rest: never) => unknown ? P : T extends { run: infer R } ? PayloadOf<R> : never;

export interface When {
	/** Default: now. */
	at?: Date;
	/** Names the job among those of its task: planning the same key again replaces what waits, time and payload. */
	key?: string;
}

export interface Jobs<T extends Tasks> {
	/** The job is there when the transaction commits, and never was when it rolls back. One statement, about a millisecond. */
	plan<K extends Planned<T>>(tx: Tx, task: K, payload: PayloadOf<T[K]>, when?: When): Promise<void>;
	/** The same for many, in one statement: each under a key of its own. */
	planAll<K extends Planned<T>>(tx: Tx, task: K, jobs: readonly ({ payload: PayloadOf<T[K]> } & Required<When>)[]): Promise<void>;
	/** Takes back what waits under this key; one that runs already runs to its end, and is not tried again. */
	cancel(tx: Tx, task: Planned<T>, key: string): Promise<void>;
	/** The same for many keys. */
	cancelAll(tx: Tx, task: Planned<T>, keys: readonly string[]): Promise<void>;
	/** For exactly one service of the node: this process does the node's jobs. */
	readonly mixin: Partial<ServiceSchema>;
}

export interface JobsOptions extends Partial<EngineOptions> {
	/**
	 * Tasks that wait for somebody outside, who may be slow or dead: each of them, by its name, has so many lanes of its own, and holds
	 * up no other task.
	 */
	apart?: Readonly<Record<string, number>>;
}

interface JobsService extends Service {
	jobsEngines: Engine[];
}

/** Every node's jobs that were made in this process. */
const made: { node: string; mixin: Partial<ServiceSchema> }[] = [];
/** Those of them that a service of the broker names. */
const namedOn = perBroker(() => new Set<Partial<ServiceSchema>>());

/** Throws a refusal where a node of this process has jobs that it would plan and nobody do. Once its services are there. */
export function checkJobs(broker: ServiceBroker): void {
	const forgotten = made.find(({ node, mixin }) => broker.getLocalService(node) && !namedOn(broker).has(mixin));
	if (!forgotten) return;
	const { node } = forgotten;
	throw refusal(`The node ${node} has jobs that nobody does: its service names them, service("${node}", { jobs, … }).`);
}

/** The jobs of a node. A migration of the node makes their schema: `-- parts: jobs`. */
export function jobsOf<const T extends Tasks>(node: string, tasks: T, { tries = 10, apart = {}, ...options }: JobsOptions = {}): Jobs<T> {
	const names = Object.keys(tasks);
	const groups = [
		{ names: names.filter((name) => !(name in apart)), ...options },
		...Object.entries(apart).map(([name, lanes]) => ({ names: [name], ...options, lanes })),
	].filter((group) => group.names.length > 0);
	const mixin = defineMixin<JobsService>({
		created() {
			namedOn(this.broker).add(mixin);
			needsOf(this.broker).push({ db: database(node), part: "jobs", table: `${node}_jobs._private_jobs` });
		},
		async started() {
			// A tool may plan jobs; those who run do them.
			if (isTool(this.broker)) return;
			this.jobsEngines = groups.map(({ names: own, ...rest }) => {
				const theirs = Object.fromEntries(own.map((name) => [name, tasks[name] as Task | Recurring]));
				return new Engine(node, database(node), theirs, this.broker, this.logger, { tries, ...rest });
			});
			await Promise.all(this.jobsEngines.map((engine) => engine.start()));
		},
		async stopped() {
			await Promise.all((this.jobsEngines ?? []).map((engine) => engine.stop()));
		},
	});
	made.push({ node, mixin });
	return {
		mixin,
		plan: (tx, task, payload, { at = new Date(), key = newId() } = {}) => planJob(tx, node, { task, key, payload, at, tries }),
		planAll: (tx, task, jobs) =>
			planJobs(
				tx,
				node,
				jobs.map(({ payload, at, key }) => ({ task, key, payload, at, tries })),
			),
		cancel: (tx, task, key) => cancelJobs(tx, node, task, [key]),
		cancelAll: (tx, task, keys) => cancelJobs(tx, node, task, keys),
	};
}
