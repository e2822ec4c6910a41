// An answer that came with an Idempotency-Key must be kept: whoever writes a POST and forgets it is told so by any test that asks it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { contracts } from "../../config/broker/contracts.ts";
import { callAction } from "../../mixins/call.ts";
import { onceClaimed } from "../../mixins/idempotency.ts";
import type { Db } from "../../mixins/postgres.ts";
import { sealsFor } from "../../mixins/principal.ts";
import { implement } from "../../mixins/service.ts";
import { isProblem, problem } from "../../services/contracts/errors.ts";
import type { Ctx, Meta } from "../../services/contracts/index.ts";

/** Of a database this asks one question only: whether an answer is kept. None is. */
const nothingKept = { query: async () => [] } as unknown as Db;
const keeps = (ctx: Ctx) => onceClaimed(ctx, nothingKept, async () => {});

/** What `myPoints` does before it answers. */
let doing: (ctx: Ctx) => unknown;

const seals = sealsFor(Buffer.alloc(32, 1).toString("base64"));
const brokerWith = (checkAnswers: boolean): ServiceBroker => {
	const broker = new ServiceBroker({ logger: false, validator: false, middlewares: [contracts({ checkAnswers, seals })] });
	broker.createService({
		name: "gamification",
		actions: implement("gamification", {
			async myPoints(ctx) {
				await doing(ctx);
				return { xp: 1, level: 0, points: 0, coins: 0 };
			},
			// Leaves the key to the other.
			async rules(ctx) {
				await ctx.call("gamification.myPoints", {}, { sameKey: true });
				return { data: [], nextCursor: null };
			},
			pointsOf: async () => ({ xp: 0, level: 0 }),
			transactions: async () => ({ data: [], nextCursor: null }),
			checkLedgers: async () => ({ ok: true, ledgers: [] }),
			health: async () => ({ status: "ok" as const }),
			exportOf: async () => ({ section: "wallets", rows: [], next: null }),
		}),
	});
	return broker;
};

const [checked, quick] = [brokerWith(true), brokerWith(false)];
before(() => Promise.all([checked.start(), quick.start()]));
after(() => Promise.all([checked.stop(), quick.stop()]));

const ask = (name: "gamification.myPoints" | "gamification.rules", does: typeof doing, broker = checked) => {
	doing = does;
	const meta: Meta = { idempotency: { key: "k", scope: "s", hash: "h" } };
	return callAction(broker, name, {}, { meta });
};
const forgets = () => {};

test("an action that forgets it fails, and is told what to write", async () => {
	await assert.rejects(ask("gamification.myPoints", forgets), /gamification\.myPoints was given an Idempotency-Key .* once\(ctx, db, /);
	await ask("gamification.myPoints", keeps);
});

test("without a key there is nothing to keep", async () => {
	doing = forgets;
	await callAction(checked, "gamification.myPoints", {});
});

test("an action may leave it to another, and then that one must keep it", async () => {
	await ask("gamification.rules", keeps);
	await assert.rejects(ask("gamification.rules", forgets), /gamification\.myPoints was given/);
});

test("who was refused keeps what there is to keep", async () => {
	const refuses = () => {
		throw problem("not-found");
	};
	await assert.rejects(ask("gamification.myPoints", refuses), (error) => isProblem(error, "not-found"));
});

test("nobody looks where answers are not checked", async () => {
	await ask("gamification.myPoints", forgets, quick);
});
