// Does the jobs of one node in this process: graphile-worker takes, runs and notes them; the engine plans recurring ones, and frees
// those of processes that are gone.
import type { CronMatcher, TaskList, WorkerPool } from "graphile-worker";
import type { Service, ServiceBroker } from "moleculer";
import type { Cause } from "../facts/index.ts";
import type { Db } from "../postgres.ts";
import { isUnavailable } from "../postgres.ts";
import { Bridge } from "./bridge.ts";
import { crontabOf, nextTime } from "./every.ts";
import type { Apart, JobTools, Recurring, Task, Tasks } from "./index.ts";
import { forgetReplaced, freeHeld, noteHeld, planOnce } from "./queue.ts";

export interface EngineOptions {
	/** Tries before a job is given up. Default 10: with graphile-worker's back-off (e, e², e³ … seconds) about three and a half hours. */
	tries: number;
	/** Jobs at the same time in this process, besides those with lanes of their own. Default 4. */
	lanes?: number;
	/** How often (ms) held jobs are noted and looked at; one that nobody notes for three looks is free. The same in all processes. Default 2 s. */
	lookEvery?: number;
	/** How long (ms) stopping waits for the jobs that run; after half of it they are told to end, at the end they are left. Default 8 s. */
	patience?: number;
}

/** The net under lost notifications, and what makes a waiting job start on time (ms). */
const POLL = 1_000;
const LOOKS = 3;

const NOBODY: Cause = { requestId: null, actor: null };

type Library = typeof import("graphile-worker");

/** A task of any payload: what was planned under its name is what it takes. */
type Run = (payload: unknown, tools: JobTools) => unknown;

/** What a recurring job carries: the time that it is for. */
interface Occurrence {
	due: string;
}

const isRecurring = (task: Task | Recurring | Apart): task is Recurring => typeof task !== "function" && task.every !== undefined;
const isApart = (task: Task | Recurring | Apart): task is Apart => typeof task !== "function" && task.lanes !== undefined;

/** Those who do some of the tasks. */
interface Crew {
	pool: WorkerPool;
	lanes: number;
}

export class Engine {
	readonly #node: string;
	readonly #db: Db;
	readonly #tasks: Tasks;
	readonly #broker: ServiceBroker;
	readonly #logger: Service["logger"];
	readonly #tries: number;
	readonly #lanes: number;
	readonly #lookEvery: number;
	readonly #patience: number;
	readonly #bridge: Bridge;
	/** Ids of the jobs that run here. */
	readonly #running = new Set<string>();
	/** What others held at the last look, and how many looks long it has not changed. */
	#held = new Map<string, number>();
	#matchers = new Map<string, CronMatcher>();
	#crews: Crew[] = [];
	#unlisten: (() => Promise<void>) | undefined;
	#looking: Promise<void> | undefined;
	#timer: NodeJS.Timeout | undefined;
	#planned = false;
	#stopped = false;

	constructor(
		node: string,
		db: Db,
		tasks: Tasks,
		broker: ServiceBroker,
		logger: Service["logger"],
		{ tries, lanes = 4, lookEvery = 2_000, patience = 8_000 }: EngineOptions,
	) {
		this.#node = node;
		this.#db = db;
		this.#tasks = tasks;
		this.#broker = broker;
		this.#logger = logger;
		this.#tries = tries;
		this.#lanes = lanes;
		this.#lookEvery = lookEvery;
		this.#patience = patience;
		this.#bridge = new Bridge(db, (error) => this.#waits(error));
	}

	/**
	 * Does not wait for the database: jobs begin when it answers, and when all services of the process have started. Throws for a
	 * pattern that cannot be read, or never comes.
	 */
	async start(): Promise<void> {
		// Loaded only where jobs run: tools, and nodes without any, do not pay for it.
		const { Logger, parseCronItem, runTaskList } = await import("graphile-worker");
		const recurring = Object.entries(this.#tasks).filter((entry): entry is [string, Recurring] => isRecurring(entry[1]));
		this.#matchers = new Map(recurring.map(([task, { every }]) => [task, parseCronItem({ task, match: crontabOf(every) }).match]));
		for (const matches of this.#matchers.values()) nextTime(matches, new Date());
		const begin = () => {
			if (!this.#stopped)
				this.#begin(runTaskList, new Logger(() => (level, message) => this.#logger.debug(`graphile-worker ${level}: ${message}`)));
		};
		if (this.#broker.started) begin();
		else this.#broker.localBus.once("$broker.started", begin);
	}

	#begin(runTaskList: Library["runTaskList"], logger: InstanceType<Library["Logger"]>): void {
		const apart = Object.entries(this.#tasks).filter((entry): entry is [string, Apart] => isApart(entry[1]));
		const together = Object.keys(this.#tasks).filter((name) => !apart.some(([other]) => other === name));
		const groups = [{ names: together, lanes: this.#lanes }, ...apart.map(([name, { lanes }]) => ({ names: [name], lanes }))];
		const tasks = this.#taskList();
		this.#crews = groups
			.filter(({ names }) => names.length > 0)
			.map(({ names, lanes }) => {
				const pool = runTaskList(
					{
						schema: `${this.#node}_jobs`,
						concurrency: lanes,
						pollInterval: POLL,
						useNodeTime: true,
						noHandleSignals: true,
						logger,
						preset: { worker: { gracefulShutdownAbortTimeout: this.#patience / 2 } },
					},
					// It asks for jobs of the tasks that it knows, and leaves the others to others.
					Object.fromEntries(names.map((name) => [name, tasks[name]])),
					this.#bridge.pool,
				);
				// Whoever stops hears of it; here nobody listens.
				pool.promise.catch(() => {});
				return { pool, lanes };
			});
		this.#look();
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		this.#bridge.stop();
		const ended = this.#end();
		await this.#unlisten?.();
		await ended;
		await this.#bridge.settled();
		await this.#looking;
		clearTimeout(this.#timer);
		// Listening may have begun meanwhile.
		await this.#unlisten?.();
	}

	/** Waits for the jobs that run; after a while they are given back, to be tried again elsewhere. */
	async #end(): Promise<void> {
		await Promise.all(this.#crews.map(({ pool }) => this.#endOf(pool)));
	}

	async #endOf(pool: WorkerPool): Promise<void> {
		const timer = setTimeout(() => void Promise.resolve(pool.forcefulShutdown("The process stopped.")).catch(() => {}), this.#patience);
		await Promise.resolve(pool.gracefulShutdown()).catch((error) => this.#logger.debug("jobs were left", { error: String(error) }));
		clearTimeout(timer);
	}

	#taskList(): TaskList {
		const entries = Object.entries(this.#tasks).map(([name, task]) => {
			const run = isRecurring(task)
				? async ({ due }: Occurrence, tools: JobTools) => {
						// First of all: if the rest fails, the next time comes anyway. One that was moved forward is not its own successor.
						await this.#planNext(name, new Date(Math.max(tools.at.getTime(), Date.parse(due))));
						await task.run(tools);
					}
				: isApart(task)
					? task.run
					: task;
			return [name, this.#guarded(name, run as Run)];
		});
		return Object.fromEntries(entries);
	}

	#guarded(task: string, run: Run): TaskList[string] {
		return async (payload, { job, abortSignal }) => {
			const id = String(job.id);
			this.#running.add(id);
			try {
				const signal = abortSignal ?? new AbortController().signal;
				await run(payload, { at: new Date(), db: this.#db, cause: NOBODY, broker: this.#broker, signal });
			} catch (error) {
				// The cause is for the operator (`npm run admin -- jobs`): it may hold what does not belong in a log.
				this.#logger.warn("a job failed", { task, job: id, try: job.attempts, of: job.max_attempts });
				throw new Error(causeOf(error));
			} finally {
				this.#running.delete(id);
			}
		};
	}

	#planNext(task: string, after: Date): Promise<void> {
		const matches = this.#matchers.get(task);
		if (!matches) throw new Error(`The recurring job ${task} has no time.`);
		const at = nextTime(matches, after);
		return planOnce(this.#db, this.#node, {
			task,
			key: at.toISOString(),
			payload: { due: at.toISOString() } satisfies Occurrence,
			at,
			tries: this.#tries,
		});
	}

	#look(): void {
		this.#looking = this.#lookOnce().catch((error) => {
			// What was seen before says nothing now: whoever holds a job could not note it either.
			this.#held.clear();
			if (!this.#stopped) this.#logger.debug("jobs could not be looked at", { error: String(error) });
		});
		this.#looking.then(() => {
			if (this.#stopped && this.#running.size === 0) return;
			this.#timer = setTimeout(() => this.#look(), this.#lookEvery);
		});
	}

	async #lookOnce(): Promise<void> {
		if (!this.#unlisten && !this.#stopped)
			// The channel is the database's: jobs of other nodes are heard, too.
			this.#unlisten = await this.#db.listen("jobs:insert", (payload) =>
				this.#nudge(payload === null ? Number.POSITIVE_INFINITY : addedBy(payload)),
			);
		if (!this.#planned) {
			for (const task of this.#matchers.keys()) await this.#planNext(task, new Date());
			await forgetReplaced(this.#db, this.#node);
			this.#planned = true;
		}
		const workers = this.#crews.map(({ pool }) => pool.id);
		const held = await noteHeld(this.#db, this.#node, workers, [...this.#running]);
		const before = this.#held;
		const looks = (job: { id: number; mark: string }) => (before.get(`${job.id} ${job.mark}`) ?? 0) + 1;
		this.#held = new Map(held.map((job) => [`${job.id} ${job.mark}`, looks(job)]));
		const left = held.filter((job) => looks(job) > LOOKS);
		if (left.length === 0) return;
		const freed = await freeHeld(this.#db, this.#node, left);
		if (freed > 0) this.#logger.warn("jobs of a process that ended are free again", { jobs: freed });
		this.#nudge(freed);
	}

	/** Has so many lanes look for a job. */
	#nudge(jobs: number): void {
		if (this.#stopped || jobs <= 0) return;
		for (const { pool, lanes } of this.#crews) pool.nudge(Math.min(jobs, lanes));
	}

	#waits(error: unknown): void {
		const why = isUnavailable(error) ? String(error) : `SQLSTATE ${(error as { code?: unknown }).code ?? "unknown"}`;
		this.#logger.warn("jobs wait", { error: why });
		this.#logger.debug("jobs wait", { error: String(error) });
	}
}

/** How many jobs a notification of graphile-worker tells of. */
function addedBy(payload: string): number {
	const [, count = "1"] = /"count":(-?\d+)/.exec(payload) ?? [];
	return Number(count);
}

/** What operators see of a failure. PostgreSQL stores no zero characters. */
const causeOf = (error: unknown): string =>
	String((error instanceof Error && error.stack) || error)
		.replaceAll("\0", "")
		.slice(0, 4_000);
