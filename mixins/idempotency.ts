// Idempotency-Key: the first answer of a key is kept in the transaction of its effect, so that no crash can separate them;
// a repetition gets the kept answer. The door has checked the key's form and passes {key, scope, hash} (services/api).
//
// The table is in every node (mixins/migrations).
//
// Four ways to use it:
//   once(ctx, db, work)           the effect is one transaction: it runs in the one that keeps the answer
//   onceAfter(ctx, db, prepare, work)   the same, after something that no transaction may wait for
//   onceBefore(ctx, db, work, finish)   the same, and what is made of the outcome no transaction may wait for either
//   onceClaimed(ctx, db, work)    the effect is committed by somebody else (an actor): `work` gets a claim to write with it
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { isProblem, problem } from "../services/contracts/errors.ts";
import type { ProblemExtras } from "../services/contracts/errors.ts";
import type { Ctx, Idempotency } from "../services/contracts/index.ts";
import type { ProblemCode } from "../services/contracts/problems.ts";
import type { Db, Tx } from "./postgres.ts";
import { keyFor } from "./secret.ts";
import { settings } from "./settings.ts";

/** What this mixin needs of a call's context. */
export type IdempotentCtx = Pick<Ctx, "idempotency" | "meta" | "requestId" | "broker">;

/** An answer to be kept, as data: who commits the effect writes it in the same transaction (`keep`), or has it written with it. */
export interface KeptAnswer {
	scope: string;
	key: string;
	hash: string;
	status: 200 | 409;
	/** Sealed, base64. */
	answer: string;
	/** ISO 8601, UTC. */
	at: string;
}

/** What is to be kept of an answer; to be written in the transaction of its effect. */
export type Claim = (answer: unknown) => KeptAnswer;

interface Row {
	hash: Buffer;
	status: number;
	answer: Buffer;
}

const claimed = new WeakSet<Idempotency>();
/** Was an answer kept, or found, for this very object of a key, as the door has made it or the wire has brought it? Tests ask it. */
export const isClaimed = (idempotency: Idempotency): boolean => claimed.has(idempotency);

const KEEP_HOURS = 48;
const SWEEP_EVERY_MS = 10 * 60_000;
const SWEEP_AT_ONCE = 1_000;

/**
 * Does `work` in one transaction, at most once per Idempotency-Key. Throws 409 `idempotency-running` while the first is
 * under way, 422 `idempotency-key-reused` for other parameters. A good answer and a 409 are kept, nothing else is.
 */
export async function once<R>(ctx: IdempotentCtx, db: Db, work: (tx: Tx) => Promise<R>): Promise<R> {
	const { idempotency } = ctx;
	if (!idempotency) return db.tx(work);
	claimed.add(idempotency);
	sweep(db);
	return keepingConflicts(ctx, db, () =>
		db.tx(async (tx) => {
			const [lock] = await tx.query<{ free: boolean }>(
				"select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free",
				[JSON.stringify([idempotency.scope, idempotency.key])],
				"idempotency-lock",
			);
			if (!lock?.free) throw problem("idempotency-running", { retryAfter: 1 });
			const stored = await findStored<R>(ctx, tx);
			if (stored) return stored.answer;
			const answer = await work(tx);
			await write(ctx, tx, 200, answer);
			return answer;
		}),
	);
}

/**
 * The same where the answer is made of what `work` has decided, and making it takes a while: without a key it is made after the
 * commit, and no connection waits for it. What `finish` throws then undoes nothing.
 */
export async function onceBefore<D, R>(
	ctx: IdempotentCtx,
	db: Db,
	work: (tx: Tx) => Promise<D>,
	finish: (decided: D) => Promise<R>,
): Promise<R> {
	if (!ctx.idempotency) return finish(await db.tx(work));
	return once(ctx, db, async (tx) => finish(await work(tx)));
}

/**
 * The same where something is to be had first that no transaction may wait for: another node's word, a password's hash. A repetition
 * gets the kept answer before anything is asked again.
 */
export async function onceAfter<P, R>(
	ctx: IdempotentCtx,
	db: Db,
	prepare: () => Promise<P>,
	work: (tx: Tx, prepared: P) => Promise<R>,
): Promise<R> {
	const stored = await findStored<R>(ctx, db);
	if (stored) return stored.answer;
	return keepingConflicts(ctx, db, async () => {
		let prepared: P;
		try {
			prepared = await prepare();
		} catch (error) {
			// Refused by what the first of two has just done: that, too, is the first's answer.
			const first = isProblem(error) ? await findStored<R>(ctx, db) : undefined;
			if (first) return first.answer;
			throw error;
		}
		return once(ctx, db, (tx) => work(tx, prepared));
	});
}

/**
 * The same where `work` hands the claim to whoever commits. Of two at once the later one is refused by the state that the
 * first has left, or fails at the claim and is rolled back; it gets the answer of the first.
 */
export async function onceClaimed<R>(ctx: IdempotentCtx, db: Db, work: (claim: Claim | undefined) => Promise<R>): Promise<R> {
	const { idempotency } = ctx;
	if (!idempotency) return work(undefined);
	claimed.add(idempotency);
	sweep(db);
	const stored = await findStored<R>(ctx, db);
	if (stored) return stored.answer;
	return keepingConflicts(ctx, db, async () => {
		try {
			return await work((answer) => toKeep(ctx, idempotency, 200, answer));
		} catch (error) {
			// Refused by what the first of two has just done ("you are a member already"): that, too, is the first's answer.
			const first = isTaken(error) || isProblem(error) ? await findStored<R>(ctx, db) : undefined;
			if (first) return first.answer;
			throw error;
		}
	});
}

/** The answer kept for this call's key. Throws the kept 409, or 422 `idempotency-key-reused` for other parameters. */
export async function findStored<R>(ctx: IdempotentCtx, db: Pick<Db, "query">): Promise<{ answer: R } | undefined> {
	const { idempotency } = ctx;
	if (!idempotency) return undefined;
	const { scope, key, hash } = idempotency;
	const [row] = await db.query<Row>(
		"select hash, status, answer from idempotency where scope = $1 and key = $2",
		[scope, key],
		"idempotency-find",
	);
	if (!row) return undefined;
	if (!row.hash.equals(Buffer.from(hash, "base64url"))) throw problem("idempotency-key-reused");
	const kept: unknown = JSON.parse(open(ctx.broker, row.answer, idempotency));
	if (row.status === 409) {
		const { code, data } = kept as { code: ProblemCode; data: ProblemExtras };
		throw problem(code, data);
	}
	claimed.add(idempotency);
	// The door reads it and says so in a header.
	ctx.meta.$replyReplayed = true;
	return { answer: kept as R };
}

/** Was this transaction refused because somebody else has written the answer of the key first? */
export function isTaken(error: unknown): boolean {
	const { code, table } = error as { code?: unknown; table?: unknown };
	return code === "23505" && table === "idempotency";
}

/** The same, from a store where the key is not a row of that table. */
export const answerTaken = (): Error =>
	Object.assign(new Error("The Idempotency-Key was used up by another request."), { code: "23505", table: "idempotency" });

/** A refusal by state is an answer too: it is kept, after the rollback of what it refused. */
async function keepingConflicts<R>(ctx: IdempotentCtx, db: Db, work: () => Promise<R>): Promise<R> {
	try {
		return await work();
	} catch (error) {
		if (isProblem(error) && error.code === 409 && error.type !== "idempotency-running" && error.data?.keptRequestId === undefined) {
			// The request id is part of the answer: a repetition is byte-identical.
			await write(ctx, db, 409, { code: error.type, data: { ...error.data, keptRequestId: ctx.requestId } });
		}
		throw error;
	}
}

async function write(ctx: IdempotentCtx, tx: Pick<Tx, "query">, status: 200 | 409, answer: unknown): Promise<void> {
	// A refusal is written after the rollback: somebody may have been faster, and then theirs is the answer.
	if (ctx.idempotency) await keep(tx, toKeep(ctx, ctx.idempotency, status, answer), { unlessKept: status === 409 });
}

function toKeep({ broker }: IdempotentCtx, idempotency: Idempotency, status: 200 | 409, answer: unknown): KeptAnswer {
	const sealed = seal(broker, JSON.stringify(answer ?? null), idempotency).toString("base64");
	return { ...idempotency, status, answer: sealed, at: new Date().toISOString() };
}

/** Writes an answer. `unlessKept`: where there is one already, that one stays, and it is no error. */
export async function keep(tx: Pick<Tx, "query">, kept: KeptAnswer, { unlessKept = false } = {}): Promise<void> {
	const { scope, key, hash, status, answer, at } = kept;
	const values = [scope, key, Buffer.from(hash, "base64url"), status, Buffer.from(answer, "base64"), at];
	const insert = "insert into idempotency (scope, key, hash, status, answer, created_at) values ($1, $2, $3, $4, $5, $6)";
	if (unlessKept) await tx.query(`${insert} on conflict do nothing`, values, "idempotency-keep-unless-kept");
	else await tx.query(insert, values, "idempotency-keep");
}

// Answers may hold tokens: they are sealed, each to its own key and scope.
const sealing = new WeakMap<ServiceBroker, Buffer>();

function sealingKey(broker: ServiceBroker): Buffer {
	let key = sealing.get(broker);
	if (!key) {
		key = keyFor(settings(broker).SECRET_KEY, "answers kept for an Idempotency-Key");
		sealing.set(broker, key);
	}
	return key;
}

const boundTo = ({ scope, key }: Idempotency): Buffer => Buffer.from(JSON.stringify([scope, key]));

function seal(broker: ServiceBroker, text: string, idempotency: Idempotency): Buffer {
	const nonce = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", sealingKey(broker), nonce).setAAD(boundTo(idempotency));
	const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
	return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function open(broker: ServiceBroker, sealed: Buffer, idempotency: Idempotency): string {
	const decipher = createDecipheriv("aes-256-gcm", sealingKey(broker), sealed.subarray(0, 12))
		.setAAD(boundTo(idempotency))
		.setAuthTag(sealed.subarray(12, 28));
	return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString("utf8");
}

const sweptAt = new WeakMap<object, number>();

/** Now and then, while keys are in use, forgets a portion of the rows older than two days. Nobody waits for it. */
function sweep(db: Db): void {
	const now = Date.now();
	if (now - (sweptAt.get(db) ?? 0) < SWEEP_EVERY_MS) return;
	sweptAt.set(db, now);
	const before = new Date(now - KEEP_HOURS * 3_600_000);
	const portion = `delete from idempotency where ctid = any (array (select ctid from idempotency where created_at < $1 limit ${SWEEP_AT_ONCE}))`;
	db.query(portion, [before]).catch(() => {
		// The next round tries again; a failing store shows in the calls themselves.
	});
}
