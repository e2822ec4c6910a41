// The ledger: what it refuses, and how it is found to be sound.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { pay } from "../../services/gamification/store.ts";
import { ledgerHouse, messages, posted, withNode } from "../support/ledger-house.ts";

const { db, hear, balance } = await ledgerHouse();

describe("the ledger", () => {
	const transfer = (amounts: [string, number][], id = randomUUID()) =>
		db.query(
			`insert into entries (id, owner, counterpart, currency, amount, reason, source, at)
			select $1, owner, case owner when 'issuer' then 'somebody' else 'issuer' end, 'xp', amount, 'by-hand', $2, now()
			from json_to_recordset($3::json) as e(owner text, amount bigint)`,
			[id, randomUUID(), JSON.stringify(amounts.map(([owner, amount]) => ({ owner, amount })))],
		);
	const refusedWith = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

	test("refuses a leg without the other, and legs that do not make zero", async () => {
		const ada = randomUUID();
		await hear([posted(ada)]);
		await assert.rejects(transfer([[ada, 5]]), refusedWith("23514"));
		await assert.rejects(
			transfer([
				[ada, 5],
				["issuer", -4],
			]),
			refusedWith("23514"),
		);
		await assert.rejects(
			transfer([
				[ada, 0],
				["issuer", 0],
			]),
			refusedWith("23514"),
		);
		await transfer([
			[ada, 5],
			["issuer", -5],
		]);
		await db.query("update accounts set balance = balance + 5 where owner = $1", [ada]);
	});

	test("refuses an entry of nobody's account", async () => {
		await assert.rejects(
			transfer([
				[randomUUID(), 5],
				["issuer", -5],
			]),
			refusedWith("23503"),
		);
	});

	test("is append-only", async () => {
		await hear([posted(randomUUID())]);
		await assert.rejects(db.query("update entries set amount = amount * 2"), refusedWith("23001"));
		await assert.rejects(db.query("delete from entries"), refusedWith("23001"));
		await assert.rejects(db.query("truncate entries"), refusedWith("23001"));
	});

	test("pays nothing when one of the portion was paid meanwhile", async () => {
		const [ada, bob] = [randomUUID(), randomUUID()];
		const [first, second] = [posted(ada), posted(bob)];
		await hear([first]);
		const claims = [first, second].map((fact) => ({
			profileId: fact.actor as string,
			currency: "xp" as const,
			amount: 5,
			reason: "message-posted",
			source: (fact.payload as { messageId: string }).messageId,
			at: fact.at,
			fact: fact as never,
		}));
		await assert.rejects(
			db.tx((tx) => pay(tx, claims)),
			(error: unknown) => (error as { constraint?: string }).constraint === "entries_once",
		);
		assert.equal(await balance(ada), 5);
		assert.equal(await balance(bob), 0);
	});

	test("sums to zero in each currency, and a balance that is not its entries is found", async () => {
		const ada = randomUUID();
		await hear(messages(3, ada));
		await withNode(async (ask) => {
			const sound = await ask(ada, "gamification.checkLedgers", {});
			assert.equal(sound.ok, true);
			assert.deepEqual(
				sound.ledgers.map(({ currency, sum }) => ({ currency, sum })),
				[
					{ currency: "xp", sum: 0 },
					{ currency: "points", sum: 0 },
					{ currency: "coins", sum: 0 },
				],
			);
			const [count] = await db.query<{ count: number }>("select count(*) as count from entries");
			assert.equal(sound.ledgers[0]?.entries, count?.count);
			await db.query("update accounts set balance = balance + 1 where owner = $1", [ada]);
			assert.equal((await ask(ada, "gamification.checkLedgers", {})).ok, false);
			await db.query("update accounts set balance = balance - 1 where owner = $1", [ada]);
		});
	});
});
