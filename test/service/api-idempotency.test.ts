// An Idempotency-Key and its effect are one transaction: on a real database, with the table as a node has it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { ServiceBroker } from "moleculer";
import type { IdempotentCtx } from "../../mixins/idempotency.ts";
import { findStored, isTaken, keep, once, onceAfter, onceBefore, onceClaimed } from "../../mixins/idempotency.ts";
import type { Db, Tx } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";
import type { Env } from "../../config/env.ts";
import { isProblem, problem, toProblem } from "../../services/contracts/errors.ts";
import type { FreshDatabase } from "../support/database.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";

const broker = new ServiceBroker({ logger: false });
provideSettings(broker, { SECRET_KEY: TEST_SECRET_KEY } as unknown as Env);
let fresh: FreshDatabase;
let db: Db;

before(async () => {
	fresh = await testDatabase(["groups"]);
	db = database("groups");
});
after(() => fresh.close());

interface Asked {
	key?: string;
	scope?: string;
	hash?: string;
}
const ask = ({
	key = randomUUID(),
	scope = "me POST /things",
	hash = "aGFzaA",
}: Asked = {}): IdempotentCtx & { meta: { $replyReplayed?: true } } => ({
	idempotency: { key, scope, hash },
	meta: {},
	requestId: randomUUID(),
	broker,
});
const again = (ctx: IdempotentCtx) => ask(ctx.idempotency);

/** An effect that can be counted: a fact told under a name of its own. */
function effect() {
	const type = `test.${randomUUID()}`;
	return {
		apply: (tx: Pick<Tx, "query">) =>
			tx.query("insert into outbox (fact_id, type, version, aggregate, at, payload) values ($1, $2, 1, 'x', now(), '{}')", [
				randomUUID(),
				type,
			]),
		count: async () => (await db.query<{ n: number }>("select count(*)::int as n from outbox where type = $1", [type]))[0]?.n,
	};
}
const rowsOf = async (ctx: IdempotentCtx) =>
	db.query<{ status: number; answer: Buffer; hash: Buffer }>("select status, answer, hash from idempotency where key = $1", [
		ctx.idempotency?.key,
	]);

describe("an action done once", () => {
	it("happens once for a key, and the second answer is the first to the byte", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		const work = async (tx: Tx) => {
			await apply(tx);
			return { z: 1, id: randomUUID(), a: [{ y: null, x: "é" }], at: new Date(), gone: undefined };
		};
		const first = JSON.stringify(await once(ctx, db, work));
		assert.equal(ctx.meta.$replyReplayed, undefined);
		const second = again(ctx);
		assert.equal(JSON.stringify(await once(second, db, work)), first);
		assert.equal(second.meta.$replyReplayed, true);
		assert.equal(await count(), 1);
	});

	it("happens each time without a key", async () => {
		const { apply, count } = effect();
		const ctx = { ...ask(), idempotency: undefined };
		for (let i = 0; i < 2; i++) await once(ctx, db, apply);
		assert.equal(await count(), 2);
	});

	it("is refused for other parameters, and apart for another scope", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		await once(ctx, db, apply);
		await assert.rejects(once(ask({ ...ctx.idempotency, hash: "b3RoZXI" }), db, apply), (error) =>
			isProblem(error, "idempotency-key-reused"),
		);
		await once(ask({ ...ctx.idempotency, scope: "you POST /things" }), db, apply);
		await once(ask({ ...ctx.idempotency, scope: "me POST /others" }), db, apply);
		assert.equal(await count(), 3);
	});

	it("says that the first is still running", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		const started = Promise.withResolvers<void>();
		const go = Promise.withResolvers<void>();
		const first = once(ctx, db, async (tx) => {
			await apply(tx);
			started.resolve();
			await go.promise;
			return { done: true };
		});
		await started.promise;
		await assert.rejects(once(again(ctx), db, apply), (error) => isProblem(error, "idempotency-running") && error.data.retryAfter === 1);
		go.resolve();
		await first;
		assert.deepEqual(await once(again(ctx), db, apply), { done: true });
		assert.equal(await count(), 1);
	});

	it("leaves no trace when it fails, and may be tried again", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		const failing = (error: unknown) => async (tx: Tx) => {
			await apply(tx);
			throw error;
		};
		for (const error of [new Error("boom"), problem("validation"), problem("forbidden"), problem("unavailable")])
			await assert.rejects(once(again(ctx), db, failing(error)));
		assert.deepEqual(await rowsOf(ctx), []);
		assert.equal(await count(), 0);
		await once(again(ctx), db, apply);
		assert.equal(await count(), 1);
	});

	it("keeps a refusal by state, to the byte, with the request id it was given with", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		const refuse = async (tx: Tx) => {
			await apply(tx);
			throw problem("already-invited", { inviteId: "i-1", detail: "Open since yesterday." });
		};
		const refusal = async (of: IdempotentCtx) =>
			once(of, db, refuse).then(
				() => assert.fail("it was not refused"),
				(error: unknown) => error,
			);
		const first = await refusal(ctx);
		const second = await refusal(again(ctx));
		assert.ok(isProblem(second, "already-invited"));
		const where = { instance: "/api/x", requestId: ctx.requestId };
		const { keptRequestId, ...shown } = toProblem(second, where);
		assert.equal(keptRequestId, ctx.requestId);
		assert.equal(JSON.stringify(shown), JSON.stringify(toProblem(first, where)));
		await assert.rejects(once(again(ctx), db, apply), (error) => isProblem(error, "already-invited"));
		assert.equal(await count(), 0);
	});

	it("keeps its answer sealed, and bound to its key", async () => {
		const ctx = ask();
		await once(ctx, db, async () => ({ tokens: "very-secret" }));
		const [row] = await rowsOf(ctx);
		assert.ok(row && !row.answer.includes("very-secret"));
		const thief = ask();
		await db.query("insert into idempotency (scope, key, hash, status, answer, created_at) values ($1, $2, $3, 200, $4, now())", [
			thief.idempotency?.scope,
			thief.idempotency?.key,
			row.hash,
			row.answer,
		]);
		await assert.rejects(findStored(thief, db));
	});

	it("happens once when asked fifty times at once", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		const made = async (tx: Tx) => {
			await apply(tx);
			return { id: randomUUID() };
		};
		const answers = await Promise.allSettled(Array.from({ length: 50 }, () => once(again(ctx), db, made)));
		const ids = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value.id] : []));
		assert.equal(new Set(ids).size, 1);
		for (const answer of answers) assert.ok(answer.status === "fulfilled" || isProblem(answer.reason, "idempotency-running"));
		assert.equal(await count(), 1);
	});
});

describe("an action that asks others first", () => {
	const refuses = async (): Promise<never> => {
		throw problem("email-taken");
	};

	it("gets the kept answer, and asks nobody again", async () => {
		const { apply, count } = effect();
		const first = ask();
		const work = async (tx: Tx, name: string) => {
			await apply(tx);
			return { name };
		};
		assert.deepEqual(await onceAfter(first, db, async () => "Ana", work), { name: "Ana" });
		const second = again(first);
		assert.deepEqual(await onceAfter(second, db, refuses, work), { name: "Ana" });
		assert.equal(second.meta?.$replyReplayed, true);
		assert.equal(await count(), 1);
	});

	it("gets the answer of the first where what that one did is what it is refused for", async () => {
		const { apply, count } = effect();
		const first = ask();
		const work = async (tx: Tx) => {
			await apply(tx);
			return { done: true };
		};
		const meanwhile = async (): Promise<void> => {
			await once(again(first), db, work);
			throw problem("email-taken");
		};
		assert.deepEqual(await onceAfter(first, db, meanwhile, work), { done: true });
		assert.equal(await count(), 1);
	});

	it("keeps a refusal by state, and begins no transaction for it", async () => {
		const first = ask();
		const never = async (): Promise<never> => assert.fail("nothing was prepared");
		await assert.rejects(onceAfter(first, db, refuses, never), (error) => isProblem(error, "email-taken"));
		assert.equal((await rowsOf(first))[0]?.status, 409);
	});

	it("happens without a key too", async () => {
		const { apply, count } = effect();
		await onceAfter({ ...ask(), idempotency: undefined }, db, async () => 1, apply);
		assert.equal(await count(), 1);
	});
});

describe("an action whose answer is made of what was decided", () => {
	const finish = async (name: string) => ({ name });

	it("keeps the answer with the effect where there is a key, and makes it once", async () => {
		const { apply, count } = effect();
		const decide = async (tx: Tx) => {
			await apply(tx);
			return "Ana";
		};
		const first = ask();
		assert.deepEqual(await onceBefore(first, db, decide, finish), { name: "Ana" });
		const never = async (): Promise<never> => assert.fail("nothing is made again");
		assert.deepEqual(await onceBefore(again(first), db, decide, never), { name: "Ana" });
		assert.equal(await count(), 1);
	});

	it("has committed its effect before the answer is made where there is none", async () => {
		const { apply, count } = effect();
		const made = await onceBefore({ ...ask(), idempotency: undefined }, db, apply, count);
		assert.equal(made, 1);
	});
});

describe("an action that somebody else commits", () => {
	it("writes the claim with the effect, and the later of two gets the answer of the first", async () => {
		const { apply, count } = effect();
		const ctx = ask();
		const run = (of: IdempotentCtx) =>
			onceClaimed(of, db, async (claim) => {
				const answer = { id: randomUUID() };
				await db.tx(async (tx) => {
					await apply(tx);
					if (claim) await keep(tx, claim(answer));
				});
				return answer;
			});
		const answers = await Promise.all(Array.from({ length: 10 }, () => run(again(ctx))));
		assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
		assert.equal(await count(), 1);
	});

	it("tells a taken key from other violations", async () => {
		const ctx = ask();
		await once(ctx, db, async () => ({}));
		const clash = db.query("insert into idempotency select scope, key, hash, status, answer, created_at from idempotency where key = $1", [
			ctx.idempotency?.key,
		]);
		await assert.rejects(clash, (error) => isTaken(error));
		assert.equal(isTaken({ code: "23505", table: "members" }), false);
	});
});

it("rows older than two days are swept away while keys are in use", async () => {
	const old = ask();
	await once(old, db, async () => ({}));
	await db.query("update idempotency set created_at = now() - interval '49 hours' where key = $1", [old.idempotency?.key]);
	const young = ask();
	await once(young, db, async () => ({}));
	await db.query("update idempotency set created_at = now() - interval '25 hours' where key = $1", [young.idempotency?.key]);
	// Another pool is another sweeper, whose turn has come.
	const sweeper: Db = { ...db };
	const swept = Promise.withResolvers<void>();
	sweeper.query = (async (sql: string, values?: readonly unknown[]) => {
		const rows = await db.query(sql, values);
		if (sql.startsWith("delete")) swept.resolve();
		return rows;
	}) as Db["query"];
	await once(ask(), sweeper, async () => ({}));
	await swept.promise;
	assert.equal((await rowsOf(old)).length, 0);
	assert.equal((await rowsOf(young)).length, 1);
});
