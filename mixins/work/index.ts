// Long work as a resource: answered with 202 and a job, done by the node's jobs (mixins/jobs), looked at by `GET /api/jobs/:id`
// (config/decisions/0022-long-work-export-erasure.md). A migration of the node makes its table: `-- parts: jobs, work`.
//
//   export const notesWork = workOf("notes", {
//     tidy: { run: async ({ ids }: { ids: string[] }, { progress }) => { …; await progress(n, ids.length); … return { tidied } } },
//   });
//   export const jobs = jobsOf("notes", { ...notesWork.tasks });
//
//   return notesWork.begin(tx, ctx, "tidy", { ids }, { total: ids.length });      // in a handler: what POST answers
//   job: notesWork.show,                                                          // its contract: workActions("notes")
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { isProblem, problem } from "../../services/contracts/errors.ts";
import type { Ctx, Meta } from "../../services/contracts/index.ts";
import { problems } from "../../services/contracts/problems.ts";
import type { Job } from "../../services/contracts/work.ts";
import type { JobTools } from "../jobs/index.ts";
import { planJob } from "../jobs/queue.ts";
import { needsOf } from "../parts.ts";
import { database } from "../postgres.ts";
import type { Tx } from "../postgres.ts";
import { newJobId } from "./id.ts";
import type { Stored, WorkRow } from "./store.ts";
import { endWork, findWork, insertWork, noteProgress, sweepWork, takeWork } from "./store.ts";

export interface WorkTools extends JobTools {
	/** The job's own id. */
	id: string;
	/** How far it is; kept at once. */
	progress(done: number, total?: number): Promise<void>;
}

export interface Kind {
	/**
	 * Does it, and answers its result. It may run more than once: after a crash it begins again, with what it has written so far. A
	 * problem below 500 ends it as failed; anything else is tried again. Without `run`, somebody else ends it (endWork).
	 */
	run?(input: never, tools: WorkTools): Promise<Stored>;
	/** What else its good end is, in the same transaction. */
	ended?(tx: Tx, job: { id: string; broker: ServiceBroker; input: never }): Promise<unknown>;
	/** What of the result is shown; default: all of it. */
	shown?(result: Stored, job: { id: string; broker: ServiceBroker }): Stored;
	/** The result is for the starter and the ticket alone, not for operators. */
	secret?: true;
}
type Kinds = Record<string, Kind>;
type InputOf<K extends Kind> = K extends { run(input: infer I, tools: WorkTools): unknown } ? I : Stored;

export interface Begin {
	/** Two of one kind with the same name never run at once: beginning the second answers the first. */
	once?: string;
	/** Steps; default 1. */
	total?: number;
	/** Whoever has the ticket may look, without an account. */
	ticket?: true;
	/** The account that may look; default: the caller's. Null for nobody. */
	starter?: string | null;
}

const TRIES = 8;
const KEPT_DAYS = 7;
/** Who may look at everybody's work. */
const OPERATORS = "ops:read";

const hashOf = (ticket: string): Buffer => createHash("sha256").update(ticket).digest();

export function workOf<const K extends Kinds>(node: string, kinds: K) {
	const kindOf = (kind: string): Kind => (Object.hasOwn(kinds, kind) ? (kinds[kind] as Kind) : {});

	const view = (row: WorkRow, broker: ServiceBroker, { secrets = true } = {}): Job => {
		const { id, kind, state, done, total, createdAt, error } = row;
		const { shown, secret } = kindOf(kind);
		const result = state !== "done" || row.result === null || (secret && !secrets) ? undefined : row.result;
		return {
			...{ id, kind, state, done, total, createdAt },
			...(result === undefined ? {} : { result: shown ? shown(result, { id, broker }) : result }),
			...(error === null ? {} : { error }),
		};
	};

	const run = async ({ id }: { id: string }, tools: JobTools): Promise<void> => {
		const { db } = tools;
		const row = await takeWork(db, id);
		if (!row) return;
		const fail = async (error: { code: string; detail: string }) => void (await endWork(db, id, { error }, new Date()));
		const lost = { code: "internal", detail: problems.internal.detail };
		const work = kindOf(row.kind).run as ((input: Stored, tools: WorkTools) => Promise<Stored>) | undefined;
		if (!work || row.tries > TRIES) return fail(lost);
		try {
			const result = await work(row.input, { ...tools, id, progress: (done, total) => noteProgress(db, id, done, total) });
			await db.tx(async (tx) => {
				if (!(await endWork(tx, id, { result }, new Date()))) return;
				// The row was stored by this kind: its input is of the kind's type.
				await kindOf(row.kind).ended?.(tx, { id, broker: tools.broker, input: row.input as never });
			});
		} catch (error) {
			if (isProblem(error) && error.code < 500) return fail({ code: error.type, detail: error.message });
			if (row.tries === TRIES) await fail(lost);
			throw error;
		}
	};

	return {
		/** For the node's `jobsOf`. */
		tasks: {
			work: run,
			sweepWork: {
				every: "hourly" as const,
				run: ({ db, at }: JobTools) => sweepWork(db, new Date(at.getTime() - KEPT_DAYS * 86_400_000)),
			},
		},

		/** Says on a broker that the table is needed. */
		need: (broker: ServiceBroker) => void needsOf(broker).push({ db: database(node), part: "work", table: "work" }),

		view,

		/** Begins it in the caller's transaction, and answers the job as it waits; or the one that runs already. */
		async begin<N extends keyof K & string>(
			tx: Tx,
			ctx: Pick<Ctx, "broker"> & { meta?: Meta },
			kind: N,
			input: InputOf<K[N]>,
			{ once, total = 1, ticket, starter = ctx.meta?.principal?.accountId ?? null }: Begin = {},
		): Promise<Job & { ticket?: string }> {
			const id = newJobId(node);
			const secret = ticket && randomBytes(32).toString("base64url");
			const { row, isNew } = await insertWork(
				tx,
				{ id, kind, once: once ?? id, starter, ticket: secret ? hashOf(secret) : null, input: input as Stored, total },
				new Date(),
			);
			const job = view(row, ctx.broker);
			if (!isNew) return job;
			if (kindOf(kind).run) await planJob(tx, node, { task: "work", key: id, payload: { id }, at: new Date(), tries: TRIES + 2 });
			return secret ? { ...job, ticket: secret } : job;
		},

		/** The handler of `<node>.job`: 404 for whoever may not know of it, and 401 for who has said nothing of themselves. */
		async show(ctx: Ctx<{ jobId: string; ticket?: string | undefined }>): Promise<Job> {
			const { jobId, ticket } = ctx.params;
			const { principal } = ctx.meta;
			if (!principal && ticket === undefined) throw problem("unauthenticated");
			const row = await findWork(database(node), jobId);
			if (!row) throw problem("not-found");
			const has = ticket !== undefined && row.ticket !== null && timingSafeEqual(hashOf(ticket), row.ticket);
			const started = row.starter !== null && row.starter === principal?.accountId;
			if (!has && !started && !principal?.scopes.includes(OPERATORS)) throw problem("not-found");
			return view(row, ctx.broker, { secrets: has || started });
		},
	};
}
