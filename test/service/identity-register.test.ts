// Signing up.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import { MINUTE, PASSWORD, identityHouse, newAddress, newEmail, refusedWith } from "../support/identity-house.ts";

const { sql, facts, call, person } = await identityHouse();

describe("register", () => {
	test("makes an account and a consumer profile, signs it in, and tells both facts", async () => {
		const email = newEmail();
		const made = await call("auth.register", {
			email: `  ${email.toUpperCase()} `,
			password: PASSWORD,
			displayName: "Ana",
			language: "pt",
		});
		assert.deepEqual({ ...made.account, id: "" }, { id: "", email, state: "unverified", role: "user", mfa: false });
		assert.deepEqual({ ...made.profile, id: "" }, { id: "", displayName: "Ana", kind: "consumer" });
		assert.deepEqual([made.tokens.tokenType, made.tokens.expiresIn], ["Bearer", 600]);
		const ids = { accountId: made.account.id, profileId: made.profile.id };
		assert.deepEqual(await facts(made.account.id), [
			{
				type: "identity.account.registered",
				payload: { ...ids, displayName: "Ana", kind: "consumer", language: "pt" },
				requestId: "a-request",
			},
			{ type: "identity.profile.created", payload: { ...ids, displayName: "Ana", kind: "consumer" }, requestId: "a-request" },
		]);
	});

	test("an e-mail has one account, however it is written and however many ask at once", async () => {
		const email = newEmail();
		const spelled = [email, email.toUpperCase(), ` ${email}`, email, email];
		const settled = await Promise.allSettled(
			spelled.map((one) => call("auth.register", { email: one, password: PASSWORD, displayName: "Ana" })),
		);
		assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
		for (const result of settled)
			if (result.status === "rejected") assert.ok(isProblem(result.reason, "email-taken"), String(result.reason));
		assert.deepEqual(await sql("select count(*)::int as n from accounts where email = $1", [email]), [{ n: 1 }]);
		await refusedWith("email-taken", call("auth.register", { email, password: PASSWORD, displayName: "Ben" }));
	});

	test("refuses common passwords, and stores nothing then", async () => {
		const email = newEmail();
		const { data } = await refusedWith("validation", call("auth.register", { email, password: "Password123", displayName: "Ana" }));
		assert.deepEqual(
			(data.errors as { path: string; code: string }[]).map(({ path, code }) => [path, code]),
			[["password", "common"]],
		);
		assert.deepEqual(await sql("select 1 from accounts where email = $1", [email]), []);
	});

	test("an Idempotency-Key makes one account of two requests and gives the same answer", async () => {
		const from = { address: newAddress(), key: randomUUID() };
		const params = { email: newEmail(), password: PASSWORD, displayName: "Ana" };
		const first = await call("auth.register", params, from);
		assert.deepEqual(await call("auth.register", params, from), first);
		await refusedWith("email-taken", call("auth.register", params, { address: from.address }));
	});

	test("and availability share ten an hour for one address: both tell who has an account", async () => {
		const from = { address: newAddress() };
		stopClock();
		const { email } = await person(from);
		for (let i = 0; i < 4; i++) assert.deepEqual(await call("auth.availability", { email }, from), { available: false });
		for (let i = 0; i < 5; i++) assert.deepEqual(await call("auth.availability", { email: newEmail() }, from), { available: true });
		const { data } = await refusedWith("rate-limited", call("auth.availability", { email }, from));
		assert.ok((data.retryAfter as number) > 0);
		await refusedWith("rate-limited", person(from));
		await person();
		turnClock(60 * MINUTE);
		await person(from);
	});
});
