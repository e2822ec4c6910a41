// Signing in, and what guessing leads to.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { decodeJwt } from "jose";
import { AT_ONCE, computed } from "../../services/identity/sign-in/hashing.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import { DAY, MINUTE, PASSWORD, identityHouse, newAddress, newEmail, refusedWith } from "../support/identity-house.ts";

const { sql, call, person, login } = await identityHouse();

describe("login", () => {
	test("opens a session of its own each time, under the e-mail in any case", async () => {
		const { email, tokens: first } = await person();
		const again = await login(email.toUpperCase());
		assert.equal(again.account.email, email);
		assert.notEqual(decodeJwt(again.tokens.accessToken).sid, decodeJwt(first.accessToken).sid);
	});

	test("answers the same, at the price of one hash, to unknown, wrong and trashed", async () => {
		const [ana, gone] = [await person(), await person()];
		await sql("update accounts set state = 'trashed' where id = $1", [gone.account.id]);
		const attempts = [
			["unknown", () => login(newEmail())],
			["wrong", () => login(ana.email, "something else")],
			["trashed", () => login(gone.email)],
			["trashed and wrong", () => login(gone.email, "something else")],
		] as const;
		const answers = new Set<string>();
		for (const [what, attempt] of attempts) {
			const before = computed.hashes;
			const { data } = await refusedWith("invalid-credentials", attempt());
			assert.equal(computed.hashes - before, 1, what);
			answers.add(JSON.stringify(data));
		}
		assert.equal(answers.size, 1);
	});

	test("takes passwords as they are: spaces, case and length count", async () => {
		const email = newEmail();
		const password = ` ${"ß".repeat(126)} `;
		await call("auth.register", { email, password, displayName: "Ana" });
		await login(email, password);
		for (const wrong of [password.trim(), password.slice(0, -1), `${password}x`, password.toUpperCase()])
			await refusedWith("invalid-credentials", login(email, wrong));
	});

	test("tells the banned until when, but only to who knows the password", async () => {
		const { email, account } = await person();
		const until = new Date(Date.now() + DAY);
		await sql("update accounts set state = 'banned', banned_until = $2 where id = $1", [account.id, until]);
		assert.equal((await refusedWith("banned", login(email))).data.until, until.toISOString());
		await refusedWith("invalid-credentials", login(email, "something else"));
	});

	test("gives who must change the password a token for that and nothing else", async () => {
		const { email, account } = await person();
		await sql("update accounts set state = 'mustChangePassword' where id = $1", [account.id]);
		const { tokens: narrow } = await login(email);
		assert.equal(decodeJwt(narrow.accessToken).scope, "account:password");
	});
});

/** The threads that hash, as they are started. */
const threads: Worker[] = [];
const onWorker = (worker: Worker) => void threads.push(worker);
process.on("worker", onWorker);
after(() => process.off("worker", onWorker));

describe("a thread that hashes and fails", () => {
	test("refuses the logins it had as unavailable, counts no failure, and the next login is good", async () => {
		const people = await Promise.all(Array.from({ length: AT_ONCE }, () => person()));
		for (const thread of threads) {
			thread.postMessage = () => void thread.terminate();
		}
		await Promise.all(people.map(({ email }) => refusedWith("unavailable", login(email))));
		for (const { email } of people) await login(email);
		assert.deepEqual(await sql("select 1 from login_failures where email_hash = sha256($1)", [people[0]?.email]), []);
	});
});

describe("guessing", () => {
	test("ends for an account and address after ten wrong ones, for a quarter of an hour; elsewhere the owner enters", async () => {
		const from = { address: newAddress() };
		const { email } = await person();
		stopClock();
		for (let i = 0; i < 10; i++) await refusedWith("invalid-credentials", login(email, `guess number ${i}`, from));
		const before = computed.hashes;
		const { data } = await refusedWith("rate-limited", login(email, "guess", from));
		assert.equal(data.retryAfter, 900);
		await refusedWith("rate-limited", login(email, PASSWORD, from));
		assert.equal(computed.hashes, before, "a refused try costs no hash");
		await login(email, PASSWORD, { address: newAddress() });
		turnClock(15 * MINUTE + 1000);
		await login(email, PASSWORD, from);
	});

	test("at nobody's account ends as at somebody's", async () => {
		const [from, email] = [{ address: newAddress() }, newEmail()];
		for (let i = 0; i < 10; i++) await refusedWith("invalid-credentials", login(email, `guess number ${i}`, from));
		await refusedWith("rate-limited", login(email, "guess", from));
	});

	test("counts nothing that was before the clock was set back", async () => {
		const from = { address: newAddress() };
		const { email } = await person();
		turnClock(MINUTE + 1000);
		for (let i = 0; i < 10; i++) await refusedWith("invalid-credentials", login(email, `guess number ${i}`, from));
		await refusedWith("rate-limited", login(email, PASSWORD, from));
		turnClock(-MINUTE - 1000);
		await login(email, PASSWORD, from);
	});

	test("many tries at once are no way around it", async () => {
		const from = { address: newAddress() };
		const { email } = await person();
		const before = computed.hashes;
		const settled = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => login(email, `guess number ${i}`, from)));
		assert.equal(computed.hashes - before, 10);
		const codes = settled.map((result) => (result.status === "rejected" ? (result.reason as { type: string }).type : "in"));
		assert.deepEqual(
			[codes.filter((code) => code === "invalid-credentials").length, codes.filter((code) => code === "rate-limited").length],
			[10, 30],
		);
	});

	test("from one address at many accounts ends after a hundred, counting a whole IPv6 network as one", async () => {
		const { email } = await person();
		await sql(
			"insert into login_failures (email_hash, address, at) select sha256(n::text::bytea), '2001:db8:0:7', $1 from generate_series(1, 99) n",
			[new Date()],
		);
		await refusedWith("invalid-credentials", login(email, "the hundredth", { address: "2001:db8:0:7::1" }));
		await refusedWith("rate-limited", login(email, PASSWORD, { address: "2001:db8:0:7::2" }));
		await login(email, PASSWORD, { address: "2001:db8:0:8::1" });
	});

	test("a right password forgives what its owner mistyped", async () => {
		const from = { address: newAddress() };
		const { email } = await person();
		for (let round = 0; round < 2; round++) {
			for (let i = 0; i < 6; i++) await refusedWith("invalid-credentials", login(email, "mistyped it", from));
			await login(email, PASSWORD, from);
		}
	});
});
