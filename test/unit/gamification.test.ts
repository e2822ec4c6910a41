// What facts earn, and what levels they lead to.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnyFact } from "../../services/contracts/index.ts";
import { award, claimKey, claimsOf, dayKey } from "../../services/gamification/domain/award.ts";
import type { Paid } from "../../services/gamification/domain/award.ts";
import { accountKey, follow, levelOf, levelReached } from "../../services/gamification/domain/level.ts";
import { payingFacts, row, rules } from "../../services/gamification/domain/rules.ts";
import type { Rule } from "../../services/gamification/domain/rules.ts";

const nothing: Paid = { byDay: new Map(), claims: new Set() };

let made = 0;
/** A message of `senderId`, told at `at`. */
function posted(senderId: string, at = "2026-03-01T10:00:00.000Z", messageId = `message-${++made}`): AnyFact {
	return {
		id: `fact-${messageId}`,
		type: "groups.message.posted",
		version: 1,
		at,
		aggregate: "group",
		requestId: "request",
		actor: senderId,
		payload: { groupId: "group", seq: 1, messageId, senderId, kind: "text", content: "Hello" },
	};
}

const earn = (facts: AnyFact[], paid = nothing, table: readonly Rule[] = rules) => award(claimsOf(table, facts), paid);
const sum = (awards: { amount: number }[]) => awards.reduce((total, { amount }) => total + amount, 0);

describe("the rules table", () => {
	test("no two rows have the same id, since the id makes a payment unique", () => {
		assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
	});

	test("every fact that pays is heard once", () => {
		assert.equal(new Set(payingFacts).size, payingFacts.length);
		assert.deepEqual(new Set(payingFacts), new Set(rules.map(({ fact }) => fact)));
	});
});

describe("an award", () => {
	test("a message earns its sender 5 XP, for that message", () => {
		const [paid, ...more] = earn([posted("ada", undefined, "m1")]);
		assert.equal(more.length, 0);
		assert.deepEqual(
			{ ...paid, fact: paid?.fact.id },
			{
				profileId: "ada",
				currency: "xp",
				amount: 5,
				reason: "message-posted",
				source: "m1",
				at: "2026-03-01T10:00:00.000Z",
				fact: "fact-m1",
			},
		);
	});

	test("a fact that no row names earns nothing", () => {
		const edited = { ...posted("ada"), type: "groups.message.edited" } as AnyFact;
		assert.deepEqual(earn([edited]), []);
	});

	test("several rows may pay for one fact", () => {
		const table: Rule[] = [
			...rules,
			row({
				id: "message-coins",
				fact: "groups.message.posted",
				currency: "coins",
				amount: 1,
				dailyCap: null,
				who: "sender",
				profile: ({ senderId }) => senderId,
				source: ({ messageId }) => messageId,
			}),
		];
		assert.deepEqual(
			earn([posted("ada")], nothing, table).map(({ currency, amount, reason }) => ({ currency, amount, reason })),
			[
				{ currency: "xp", amount: 5, reason: "message-posted" },
				{ currency: "coins", amount: 1, reason: "message-coins" },
			],
		);
	});

	test("a day pays at most its cap, however many messages come at once", () => {
		const awards = earn(Array.from({ length: 300 }, () => posted("ada")));
		assert.equal(awards.length, 20);
		assert.equal(sum(awards), 100);
	});

	test("what the day has paid before counts", () => {
		const paid = { ...nothing, byDay: new Map([[dayKey("ada", "message-posted", "2026-03-01"), 95]]) };
		assert.equal(sum(earn([posted("ada"), posted("ada"), posted("ada")], paid)), 5);
	});

	test("the last payment of a day is what the cap leaves", () => {
		const paid = { ...nothing, byDay: new Map([[dayKey("ada", "message-posted", "2026-03-01"), 98]]) };
		assert.deepEqual(
			earn([posted("ada"), posted("ada")], paid).map(({ amount }) => amount),
			[2],
		);
	});

	test("a cap that was lowered below what the day has paid takes nothing back", () => {
		const paid = { ...nothing, byDay: new Map([[dayKey("ada", "message-posted", "2026-03-01"), 140]]) };
		assert.deepEqual(earn([posted("ada")], paid), []);
	});

	test("one person's cap does not touch another's", () => {
		const awards = earn([...Array.from({ length: 30 }, () => posted("ada")), posted("bob")]);
		assert.equal(sum(awards.filter(({ profileId }) => profileId === "bob")), 5);
	});

	test("the day is the fact's own, in UTC, whenever it is heard", () => {
		const evening = Array.from({ length: 25 }, () => posted("ada", "2026-03-01T23:59:59.999Z"));
		const morning = Array.from({ length: 25 }, () => posted("ada", "2026-03-02T00:00:00.000Z"));
		const abroad = Array.from({ length: 25 }, () => posted("ada", "2026-03-03T01:30:00.000+02:00"));
		assert.equal(sum(earn([...evening, ...morning, ...abroad])), 200);
	});

	test("a fact heard twice pays once, in one portion", () => {
		const fact = posted("ada");
		assert.equal(sum(earn([fact, fact])), 5);
	});

	test("a fact heard twice pays once, in two portions", () => {
		const paid = { ...nothing, claims: new Set([claimKey("ada", "message-posted", "m7")]) };
		assert.deepEqual(earn([posted("ada", undefined, "m7")], paid), []);
	});

	test("what was paid before is read, not changed", () => {
		const paid: Paid = { byDay: new Map(), claims: new Set() };
		earn([posted("ada")], paid);
		assert.deepEqual(paid, nothing);
	});
});

describe("levels", () => {
	test("every 25 XP is one more, beginning at 0", () => {
		assert.deepEqual([0, 24, 25, 49, 50, 1000].map(levelOf), [0, 0, 1, 1, 2, 40]);
	});

	test("a balance below zero has level 0", () => {
		assert.equal(levelOf(-1), 0);
	});

	test("nothing is reached within a level, or downwards", () => {
		assert.equal(levelReached(0, 24), null);
		assert.equal(levelReached(25, 49), null);
		assert.equal(levelReached(60, 10), null);
	});

	test("one payment may be worth several levels", () => {
		assert.deepEqual(levelReached(10, 130), { level: 5, previous: 0 });
	});

	test("every award of a portion says its own total, and the level it reached", () => {
		const awards = earn(Array.from({ length: 7 }, () => posted("ada")));
		const paid = follow(awards, new Map([[accountKey("ada", "xp"), 50]]));
		assert.deepEqual(
			paid.map(({ total }) => total),
			[20, 25, 30, 35, 40, 45, 50],
		);
		assert.deepEqual(
			paid.map(({ reached }) => reached),
			[null, { level: 1, previous: 0 }, null, null, null, null, { level: 2, previous: 1 }],
		);
	});

	test("the totals of people paid in one portion do not mix", () => {
		const awards = earn([posted("ada"), posted("bob"), posted("ada")]);
		const balances = new Map([
			[accountKey("ada", "xp"), 110],
			[accountKey("bob", "xp"), 5],
		]);
		assert.deepEqual(
			follow(awards, balances).map(({ award, total }) => [award.profileId, total]),
			[
				["ada", 105],
				["bob", 5],
				["ada", 110],
			],
		);
	});

	test("only XP makes levels", () => {
		const [first] = earn([posted("ada")]);
		assert.ok(first);
		const coins = { ...first, currency: "coins" as const, amount: 500 };
		assert.equal(follow([coins], new Map([[accountKey("ada", "coins"), 500]]))[0]?.reached, null);
	});
});
