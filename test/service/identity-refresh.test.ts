// Refresh tokens: their rotation, and what is done about a stolen one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { tokens } from "../../mixins/token/tokens.ts";
import { eventually } from "../support/eventually.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import { DAY, identityHouse, refusedWith } from "../support/identity-house.ts";

const { broker, call, sql, facts, person, refresh } = await identityHouse();

describe("refresh", () => {
	test("gives new tokens of the same session each time", async () => {
		const { tokens: first } = await person();
		const { tokens: second } = await refresh(first.refreshToken);
		const { tokens: third } = await refresh(second.refreshToken);
		assert.equal(new Set([first, second, third].map((one) => one.refreshToken)).size, 3);
		assert.equal(new Set([first, second, third].map((one) => decodeJwt(one.accessToken).sid)).size, 1);
		assert.equal(new Set([first, second, third].map((one) => decodeJwt(one.accessToken).jti)).size, 3);
	});

	test("forgives a lost answer: the same client gets the same successor, many at once too", async () => {
		const { tokens: first } = await person();
		const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(first.refreshToken)));
		assert.equal(new Set(answers.map((answer) => answer.tokens.refreshToken)).size, 1);
		await refresh((answers[0] as (typeof answers)[0]).tokens.refreshToken);
	});

	test("two parties with one token: the family ends, for both, with a fact and an audit entry", async () => {
		const { account, tokens: first } = await person();
		const sid = decodeJwt(first.accessToken).sid as string;
		const owner = await refresh(first.refreshToken, { userAgent: "phone/1" });
		await refusedWith("invalid-token", refresh(first.refreshToken, { userAgent: "thief/1", address: "192.0.2.66" }));
		await refusedWith("invalid-token", refresh(owner.tokens.refreshToken, { userAgent: "phone/1" }));
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(owner.tokens.accessToken)), 1_000);
		const fact = (await facts(account.id)).at(-1);
		assert.deepEqual([fact?.type, fact?.payload.sessionId, fact?.payload.reason], ["identity.session.revoked", sid, "reuse"]);
		const [entry] = (await call("audit.list", { target: sid })).data;
		assert.deepEqual([entry?.action, entry?.detail], ["session.reuse", { accountId: account.id }]);
		assert.deepEqual(entry?.after, { address: "192.0.2.66", device: "thief/1" });
	});

	test("a client that was updated since the login is forgiven too: it is the same one that used the token", async () => {
		const { tokens: first } = await person({ userAgent: "phone/1" });
		const answer = await refresh(first.refreshToken, { userAgent: "phone/2" });
		assert.deepEqual((await refresh(first.refreshToken, { userAgent: "phone/2" })).tokens.refreshToken, answer.tokens.refreshToken);
	});

	test("does not forgive once the successor was used", async () => {
		const { tokens: first } = await person();
		const { tokens: second } = await refresh(first.refreshToken);
		const { tokens: third } = await refresh(second.refreshToken);
		await refusedWith("invalid-token", refresh(first.refreshToken));
		await refusedWith("invalid-token", refresh(third.refreshToken));
	});

	test("a token of long ago, seen again days later, ends the family for good", async () => {
		stopClock();
		const { tokens: first } = await person();
		let latest = first;
		for (let day = 0; day < 3; day++) {
			latest = (await refresh(latest.refreshToken)).tokens;
			turnClock(DAY);
		}
		await refusedWith("invalid-token", refresh(first.refreshToken));
		await refusedWith("invalid-token", refresh(latest.refreshToken));
	});

	test("two thieves with one token, at once or one after the other, end up with nothing, and so does its owner", async () => {
		for (const atOnce of [true, false]) {
			const { tokens: first } = await person();
			const use = (userAgent: string) => refresh(first.refreshToken, { userAgent }).catch(() => undefined);
			const thieves = atOnce ? await Promise.all([use("thief/1"), use("thief/2")]) : [await use("thief/1"), await use("thief/2")];
			const got = thieves.filter((answer) => answer !== undefined);
			assert.equal(got.length, 1, "one was first; the other gave both away");
			for (const { tokens: stolen } of got) {
				await refusedWith("invalid-token", refresh(stolen.refreshToken, { userAgent: "thief/1" }));
				await refusedWith("invalid-token", refresh(stolen.refreshToken, { userAgent: "thief/2" }));
				await eventually(() => refusedWith("invalid-token", tokens(broker).verify(stolen.accessToken)), 1_000);
			}
			await refusedWith("invalid-token", refresh(first.refreshToken));
		}
	});

	test("two thieves who both call themselves as the owner does share one successor, until one of them uses it", async () => {
		const { tokens: first } = await person();
		const [one, two] = [await refresh(first.refreshToken), await refresh(first.refreshToken)];
		assert.equal(one.tokens.refreshToken, two.tokens.refreshToken);
		const { tokens: next } = await refresh(one.tokens.refreshToken, { userAgent: "thief/1" });
		await refusedWith("invalid-token", refresh(two.tokens.refreshToken, { userAgent: "thief/2" }));
		await refusedWith("invalid-token", refresh(next.refreshToken, { userAgent: "thief/1" }));
	});

	test("does not forgive after ten seconds", async () => {
		const { tokens: first } = await person();
		stopClock();
		const { tokens: second } = await refresh(first.refreshToken);
		turnClock(10_001);
		await refusedWith("invalid-token", refresh(first.refreshToken));
		await refusedWith("invalid-token", refresh(second.refreshToken));
	});

	test("a session lives thirty days from its login, however often it is refreshed", async () => {
		stopClock();
		const { tokens: first } = await person();
		turnClock(29 * DAY);
		const { tokens: second } = await refresh(first.refreshToken);
		turnClock(DAY + 1000);
		await refusedWith("invalid-token", refresh(second.refreshToken));
	});

	test("is refused to the banned and the trashed", async () => {
		const ana = await person();
		await sql("update accounts set state = 'banned' where id = $1", [ana.account.id]);
		await refusedWith("banned", refresh(ana.tokens.refreshToken));
		await sql("update accounts set state = 'trashed' where id = $1", [ana.account.id]);
		await refusedWith("invalid-token", refresh(ana.tokens.refreshToken));
	});

	test("unknown and senseless tokens are refused alike", async () => {
		for (const token of ["x", "A".repeat(43), "é", (await person()).tokens.accessToken.slice(0, 1000)])
			await refusedWith("invalid-token", refresh(token));
	});
});
