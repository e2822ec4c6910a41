// What people see of their points, and of those of others.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import { rules } from "../../services/gamification/domain/rules.ts";
import { ledgerHouse, messages, posted, withNode } from "../support/ledger-house.ts";

const { hear } = await ledgerHouse();

describe("what people see", () => {
	test("nobody was paid anything: everything is zero", async () => {
		await withNode(async (ask) => {
			const ada = randomUUID();
			assert.deepEqual(await ask(ada, "gamification.myPoints", {}), { xp: 0, level: 0, points: 0, coins: 0 });
			assert.deepEqual(await ask(ada, "gamification.transactions", {}), { data: [], nextCursor: null });
		});
	});

	test("one's own balances and level; of others only XP and level", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		await hear(messages(6, ada));
		await withNode(async (ask) => {
			assert.deepEqual(await ask(ada, "gamification.myPoints", {}), { xp: 30, level: 1, points: 0, coins: 0 });
			assert.deepEqual(await ask(bob, "gamification.pointsOf", { profileId: ada }), { xp: 30, level: 1 });
			assert.deepEqual(await ask(ada, "gamification.pointsOf", { profileId: bob }), { xp: 0, level: 0 });
		});
	});

	test("a profile that does not exist has no points", async () => {
		const nobody = randomUUID();
		await withNode(async (ask) => {
			await assert.rejects(ask(randomUUID(), "gamification.pointsOf", { profileId: nobody }), (error: unknown) =>
				isProblem(error, "not-found"),
			);
		}, nobody);
	});

	test("one's own entries, newest first, page by page, stable while more come in", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		const facts = messages(7, ada);
		await hear([...facts, posted(bob)]);
		await withNode(async (ask) => {
			const first = await ask(ada, "gamification.transactions", { limit: 3 });
			assert.equal(first.data.length, 3);
			await hear([posted(ada)]);
			const sources = first.data.map(({ source }) => source);
			for (let cursor = first.nextCursor; cursor; ) {
				const page = await ask(ada, "gamification.transactions", { limit: 3, cursor });
				sources.push(...page.data.map(({ source }) => source));
				cursor = page.nextCursor;
			}
			assert.deepEqual(sources, facts.map((fact) => (fact.payload as { messageId: string }).messageId).toReversed());
			assert.partialDeepStrictEqual(first.data[0], { currency: "xp", amount: 5, reason: "message-posted", at: "2026-03-01T10:00:00.000Z" });
		});
	});

	test("a cursor that no list gave out is refused", async () => {
		await withNode(async (ask) => {
			for (const cursor of ["x", "AAAA", Buffer.from("1 2").toString("base64url")]) {
				await assert.rejects(ask(randomUUID(), "gamification.transactions", { cursor }), (error: unknown) =>
					isProblem(error, "bad-cursor"),
				);
			}
		});
	});

	test("the rules that pay, without how they read a fact", async () => {
		await withNode(async (ask) => {
			const { data, nextCursor } = await ask(randomUUID(), "gamification.rules", {});
			const shown = rules.map(({ fact, currency, amount, dailyCap, who }) => ({ fact, currency, amount, dailyCap, who }));
			assert.deepEqual([data, nextCursor], [shown, null]);
			assert.ok(
				data.some(({ fact, amount }) => fact === "groups.message.posted" && amount === 5),
				"a message pays",
			);
		});
	});

	test("the node says how it is", async () => {
		await withNode(async (ask) => {
			assert.equal((await ask(randomUUID(), "gamification.health", {})).status, "ok");
		});
	});
});
