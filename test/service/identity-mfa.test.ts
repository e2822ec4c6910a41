// Second factors: an authenticator app from its first code to its last, recovery codes, and the second step of a login.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import type { SignedIn } from "../../services/contracts/identity.ts";
import type { MfaRequired } from "../../services/contracts/mfa.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { eventually } from "../support/eventually.ts";
import { codeOf, wrongCode } from "../support/factors.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import { MINUTE, PASSWORD, identityHouse, newAddress, refusedWith } from "../support/identity-house.ts";

const { broker, sql, call, person, login, refresh } = await identityHouse();
const STEP = 30_000;

/** Somebody with an authenticator app; the clock stands, at a step none of whose codes was used. */
async function withApp(from: { address?: string } = {}) {
	stopClock();
	const ana = await person(from);
	const token = ana.tokens.accessToken;
	const { secret, uri } = await call("mfa.enrolTotp", {}, { token });
	const { recoveryCodes } = await call("mfa.confirmTotp", { code: codeOf(secret) }, { token });
	turnClock(3 * STEP);
	return { ...ana, token, secret, uri, recoveryCodes };
}
async function ticketOf(email: string, from: { address?: string } = {}): Promise<MfaRequired> {
	const answer = await call("auth.login", { email, password: PASSWORD }, from);
	return "mfaRequired" in answer ? answer : assert.fail("the password alone was enough");
}
const second = (
	ticket: string,
	method: "totp" | "recovery",
	code: string,
	from: { address?: string; key?: string } = {},
): Promise<SignedIn> => call("mfa.login", { ticket, method, code }, from);

/** What came of many at once: the codes of those that were refused, and how many came in. */
async function outcomes(attempts: Promise<unknown>[]): Promise<Record<string, number>> {
	const counts: Record<string, number> = {};
	for (const result of await Promise.allSettled(attempts)) {
		const code = result.status === "rejected" ? (result.reason as { type: string }).type : "in";
		counts[code] = (counts[code] ?? 0) + 1;
	}
	return counts;
}

describe("an authenticator app", () => {
	test("counts once it is confirmed: until then the password is enough", async () => {
		const ana = await person();
		const token = ana.tokens.accessToken;
		const { secret, uri } = await call("mfa.enrolTotp", {}, { token });
		assert.match(uri, new RegExp(`^otpauth://totp/Reloop:.*secret=${secret}`));
		assert.equal((await login(ana.email)).account.mfa, false);
		await refusedWith("invalid-credentials", call("mfa.confirmTotp", { code: wrongCode(secret) }, { token }));
		assert.equal((await login(ana.email)).account.mfa, false);
		const { recoveryCodes } = await call("mfa.confirmTotp", { code: codeOf(secret) }, { token });
		assert.equal(new Set(recoveryCodes).size, 10);
		assert.equal((await call("auth.me", {}, { token })).account.mfa, true);
		assert.deepEqual((await ticketOf(ana.email)).methods, ["totp", "recovery"]);
		await refusedWith("wrong-state", call("mfa.enrolTotp", {}, { token }));
		await refusedWith("wrong-state", call("mfa.confirmTotp", { code: codeOf(secret, 1) }, { token }));
	});

	test("begun again before it is confirmed has another secret, and the first is worth nothing", async () => {
		const { tokens: made } = await person();
		const token = made.accessToken;
		const [first, again] = [await call("mfa.enrolTotp", {}, { token }), await call("mfa.enrolTotp", {}, { token })];
		assert.notEqual(first.secret, again.secret);
		await refusedWith("invalid-credentials", call("mfa.confirmTotp", { code: codeOf(first.secret) }, { token }));
		await call("mfa.confirmTotp", { code: codeOf(again.secret) }, { token });
	});

	test("opens the account at the second step, with a session like any other and acr 2", async () => {
		const { email, account, secret } = await withApp();
		const { ticket, expiresIn } = await ticketOf(email);
		assert.equal(expiresIn, 300);
		const { account: entered, tokens: made } = await second(ticket, "totp", codeOf(secret));
		assert.deepEqual([entered.id, entered.mfa], [account.id, true]);
		const { acr, auth_time } = decodeJwt(made.accessToken);
		assert.deepEqual([acr, auth_time], ["2", Math.floor(Date.now() / 1000)]);
		await tokens(broker).verify(made.accessToken);
	});

	test("is good a step early and a step late, with blanks in the code too, and not two", async () => {
		const { email, secret } = await withApp();
		await second((await ticketOf(email)).ticket, "totp", codeOf(secret, -1));
		await second((await ticketOf(email)).ticket, "totp", codeOf(secret, 1).replace(/^.../, "$& "));
		for (const steps of [-2, 2])
			await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "totp", codeOf(secret, steps)));
	});

	test("has codes that work once: at confirming, signing in, stepping up and removing together", async () => {
		stopClock();
		const { email, tokens: made } = await person();
		const token = made.accessToken;
		const { secret } = await call("mfa.enrolTotp", {}, { token });
		const code = codeOf(secret);
		await call("mfa.confirmTotp", { code }, { token });
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "totp", code));
		await refusedWith("invalid-credentials", call("mfa.stepUp", { code }, { token }));
		await refusedWith("invalid-credentials", call("mfa.removeTotp", { code }, { token }));
		const next = codeOf(secret, 1);
		await call("mfa.stepUp", { code: next }, { token });
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "totp", next));
		turnClock(STEP);
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "totp", next));
	});

	test("one code with twenty tickets at once opens one session", async () => {
		const { email, secret } = await withApp();
		const tickets = [];
		for (let i = 0; i < 20; i++) tickets.push((await ticketOf(email)).ticket);
		const code = codeOf(secret);
		assert.deepEqual(await outcomes(tickets.map((ticket) => second(ticket, "totp", code))), { in: 1, "invalid-credentials": 19 });
	});

	test("goes with one of its codes or a recovery code, and takes the recovery codes along", async () => {
		for (const pick of ["secret", "recovery"] as const) {
			const { email, token, secret, recoveryCodes } = await withApp();
			await refusedWith("invalid-credentials", call("mfa.removeTotp", { code: wrongCode(secret) }, { token }));
			await call("mfa.removeTotp", { code: pick === "secret" ? codeOf(secret) : (recoveryCodes[3] as string) }, { token });
			assert.deepEqual(await call("mfa.status", {}, { token }), { mfa: false, totp: false, passkeys: 0, recoveryCodes: 0 });
			assert.equal((await login(email)).account.mfa, false);
			await refusedWith("not-found", call("mfa.removeTotp", { code: codeOf(secret) }, { token }));
		}
	});
});

describe("recovery codes", () => {
	test("open the account once each, however they were written down", async () => {
		const { email, token, recoveryCodes } = await withApp();
		const [first = "", next = ""] = recoveryCodes;
		assert.match(first, /^[0-9a-z]{5}-[0-9a-z]{5}$/);
		await second((await ticketOf(email)).ticket, "recovery", ` ${first.toUpperCase().replace("-", " ")} `);
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "recovery", first));
		assert.equal((await call("mfa.status", {}, { token })).recoveryCodes, 9);
		await second((await ticketOf(email)).ticket, "recovery", next);
	});

	test("one, guessed by fifty at once, opens one session", async () => {
		const { email, token, recoveryCodes } = await withApp();
		const code = recoveryCodes[0] as string;
		const tickets = [];
		for (let i = 0; i < 50; i++) tickets.push((await ticketOf(email)).ticket);
		const { in: entered, ...refused } = await outcomes(tickets.map((ticket) => second(ticket, "recovery", code)));
		assert.deepEqual([entered, refused], [1, { "invalid-credentials": 49 }]);
		assert.equal((await call("mfa.status", {}, { token })).recoveryCodes, 9);
	});

	test("guessed by many at once, each with a ticket of its own, may be tried ten times; the owner enters from home", async () => {
		const { email, token, recoveryCodes } = await withApp();
		const thief = { address: newAddress() };
		const tickets = [];
		for (let i = 0; i < 40; i++) tickets.push((await ticketOf(email, thief)).ticket);
		const guesses = tickets.map((ticket, i) => second(ticket, "recovery", `AAAA-BBBB-CCCC-${1000 + i}`, thief));
		assert.deepEqual(await outcomes(guesses), { "invalid-credentials": 10, "rate-limited": 30 });
		const right = recoveryCodes[0] as string;
		await refusedWith("rate-limited", second((await ticketOf(email, thief)).ticket, "recovery", right, thief));
		assert.equal((await call("mfa.status", {}, { token })).recoveryCodes, 10);
		await second((await ticketOf(email)).ticket, "recovery", right);
	});

	test("are another account's business: the same text opens nothing there", async () => {
		const [ana, ben] = [await withApp(), await withApp()];
		await refusedWith("invalid-credentials", second((await ticketOf(ben.email)).ticket, "recovery", ana.recoveryCodes[0] as string));
	});

	test("made anew replace the old ones; without a second factor there are none", async () => {
		const { email, token, recoveryCodes } = await withApp();
		const { recoveryCodes: renewed } = await call("mfa.renewRecoveryCodes", {}, { token });
		assert.equal(new Set([...recoveryCodes, ...renewed]).size, 20);
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "recovery", recoveryCodes[0] as string));
		await second((await ticketOf(email)).ticket, "recovery", renewed[0] as string);
		await refusedWith("wrong-state", call("mfa.renewRecoveryCodes", {}, { token: (await person()).tokens.accessToken }));
	});

	test("are no codes of the app, nor the other way round", async () => {
		const { email, secret, recoveryCodes } = await withApp();
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "totp", recoveryCodes[0] as string));
		await refusedWith("invalid-credentials", second((await ticketOf(email)).ticket, "recovery", codeOf(secret)));
	});
});

describe("a ticket", () => {
	test("ends with five wrong codes: the right one comes too late", async () => {
		const { email, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		for (let i = 0; i < 5; i++) await refusedWith("invalid-credentials", second(ticket, "totp", wrongCode(secret)));
		await refusedWith("invalid-token", second(ticket, "totp", codeOf(secret)));
		await second((await ticketOf(email)).ticket, "totp", codeOf(secret));
	});

	test("has five tries, however many come at once", async () => {
		const { email, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		const tries = Array.from({ length: 30 }, () => second(ticket, "totp", wrongCode(secret)));
		assert.deepEqual(await outcomes(tries), { "invalid-credentials": 5, "invalid-token": 25 });
	});

	test("is good once", async () => {
		const { email, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		await second(ticket, "totp", codeOf(secret));
		await refusedWith("invalid-token", second(ticket, "totp", codeOf(secret, 1)));
	});

	test("is good for five minutes", async () => {
		const { email, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		turnClock(5 * MINUTE);
		await refusedWith("invalid-token", second(ticket, "totp", codeOf(secret)));
	});

	test("is good for the password it was given for, and the account as it is by then", async () => {
		const { email, account, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		await sql("update accounts set state = 'banned' where id = $1", [account.id]);
		await refusedWith("banned", second(ticket, "totp", codeOf(secret)));
		await sql(
			"update accounts set state = 'active', password_hash = (select password_hash from accounts where id <> $1 limit 1) where id = $1",
			[account.id],
		);
		await refusedWith("invalid-token", second(ticket, "totp", codeOf(secret)));
	});

	test("that nobody gave opens nothing, and neither does somebody's token", async () => {
		const { token, secret, tokens: made } = await withApp();
		for (const ticket of ["x", "A".repeat(43), token.slice(0, 200), made.refreshToken])
			await refusedWith("invalid-token", second(ticket, "totp", codeOf(secret)));
	});

	test("asked for and changed again with the same Idempotency-Key is one login", async () => {
		const { email, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		const from = { address: newAddress(), key: "k" };
		const code = codeOf(secret);
		assert.deepEqual(await second(ticket, "totp", code, from), await second(ticket, "totp", code, from));
	});

	test("does not come without its code or passkey", async () => {
		const { email } = await withApp();
		const { ticket } = await ticketOf(email);
		await refusedWith("validation", call("mfa.login", { ticket, method: "totp" }));
		await refusedWith("validation", call("mfa.login", { ticket, method: "passkey", code: "123456" }));
	});
});

describe("guessing codes", () => {
	test("ends after ten wrong ones from one address, whatever tickets; elsewhere the owner enters", async () => {
		const { email, secret } = await withApp();
		const from = { address: newAddress() };
		for (let round = 0; round < 2; round++) {
			const { ticket } = await ticketOf(email, from);
			for (let i = 0; i < 5; i++) await refusedWith("invalid-credentials", second(ticket, "totp", wrongCode(secret), from));
		}
		const { ticket } = await ticketOf(email, from);
		const { data } = await refusedWith("rate-limited", second(ticket, "totp", codeOf(secret), from));
		assert.ok(Number(data.retryAfter) > 800 && Number(data.retryAfter) <= 900);
		await second(ticket, "totp", codeOf(secret), { address: newAddress() });
		turnClock(15 * MINUTE + 1000);
		await second((await ticketOf(email, from)).ticket, "totp", codeOf(secret), from);
	});

	test("counts nothing that was before the clock was set back", async () => {
		const { email, recoveryCodes } = await withApp();
		const from = { address: newAddress() };
		turnClock(2 * MINUTE);
		for (let round = 0; round < 2; round++) {
			const { ticket } = await ticketOf(email, from);
			for (let i = 0; i < 5; i++) await refusedWith("invalid-credentials", second(ticket, "recovery", "AAAA-BBBB", from));
		}
		turnClock(-2 * MINUTE);
		await second((await ticketOf(email, from)).ticket, "recovery", recoveryCodes[0] as string, from);
	});

	test("from many addresses ends after fifty in a day; the owner enters from home, and from anywhere with a recovery code", async () => {
		const { email, account, secret, recoveryCodes } = await withApp();
		const home = { address: newAddress() };
		await second((await ticketOf(email, home)).ticket, "totp", codeOf(secret), home);
		turnClock(3 * STEP);
		await sql(
			"insert into mfa_failures (account_id, address, kind, at) select $1, '192.0.2.' || n, 'totp', $2 from generate_series(1, 49) n",
			[account.id, new Date()],
		);
		const { ticket } = await ticketOf(email);
		await refusedWith("invalid-credentials", second(ticket, "totp", wrongCode(secret)));
		await refusedWith("rate-limited", second(ticket, "totp", codeOf(secret)));
		await second((await ticketOf(email, home)).ticket, "totp", codeOf(secret), home);
		await second(ticket, "recovery", recoveryCodes[0] as string);
	});

	test("counts at stepping up and at removing too", async () => {
		const { secret, token } = await withApp();
		const from = { address: newAddress(), token };
		for (let i = 0; i < 5; i++) {
			await refusedWith("invalid-credentials", call("mfa.stepUp", { code: wrongCode(secret) }, from));
			await refusedWith("invalid-credentials", call("mfa.removeTotp", { code: wrongCode(secret) }, from));
		}
		await refusedWith("rate-limited", call("mfa.stepUp", { code: codeOf(secret) }, from));
		await refusedWith("rate-limited", call("mfa.removeTotp", { code: codeOf(secret) }, from));
	});

	test("the password at stepping up is throttled as at a login", async () => {
		const { tokens: made } = await person();
		const from = { address: newAddress(), token: made.accessToken };
		for (let i = 0; i < 10; i++) await refusedWith("invalid-credentials", call("mfa.stepUp", { password: `guess ${i}` }, from));
		await refusedWith("rate-limited", call("mfa.stepUp", { password: PASSWORD }, from));
	});
});

describe("no way around", () => {
	test("the password grant refuses in its words, and says where to go", async () => {
		const { email } = await withApp();
		await assert.rejects(
			call("auth.token", { grant_type: "password", username: email, password: PASSWORD }),
			({ code, data }: { code: number; data: { oauth: { error: string; error_description: string } } }) => {
				assert.deepEqual([code, data.oauth.error], [400, "invalid_grant"]);
				assert.match(data.oauth.error_description, /second factor/);
				return true;
			},
		);
		const before = (await sql("select 1 from sessions s join accounts a on a.id = s.account_id where a.email = $1", [email])).length;
		assert.equal(before, 1, "the session that the account began with");
	});

	test("a wrong password says nothing of a second factor", async () => {
		const { email } = await withApp();
		const [known, unknown] = [
			await refusedWith("invalid-credentials", login(email, "something else")),
			await refusedWith("invalid-credentials", login("nobody@example.org", "something else")),
		];
		assert.deepEqual(known.data, unknown.data);
	});
});

describe("what is stored", () => {
	test("are no secrets, codes or tickets that anybody could read", async () => {
		const { email, account, secret, recoveryCodes } = await withApp();
		const { ticket } = await ticketOf(email);
		const tables = ["totps", "recovery_codes", "mfa_tickets"];
		const texts = await Promise.all(tables.map((table) => sql(`select * from ${table} where account_id = $1`, [account.id])));
		assert.deepEqual(
			texts.map((rows) => rows.length),
			[1, 10, 1],
		);
		const all = texts
			.flat()
			.flatMap((row) => Object.values(row))
			.map((value) => (Buffer.isBuffer(value) ? `${value.toString("latin1")} ${value.toString("base64url")}` : String(value)))
			.join(" ");
		for (const text of [secret, ticket, ...recoveryCodes, ...recoveryCodes.map((code) => code.replace("-", ""))])
			assert.ok(!all.includes(text));
	});

	test("a secret is sealed to its account: copied to another it is worth nothing", async () => {
		const [ana, ben] = [await withApp(), await withApp()];
		await sql("update totps set secret_sealed = (select secret_sealed from totps where account_id = $1) where account_id = $2", [
			ana.account.id,
			ben.account.id,
		]);
		await assert.rejects(second((await ticketOf(ben.email)).ticket, "totp", codeOf(ana.secret)));
	});

	test("what is over is swept away", async () => {
		const { email, account } = await withApp();
		await ticketOf(email);
		const { sweep } = await import("../../services/identity/store/sweep.ts");
		const { database } = await import("../../mixins/postgres.ts");
		await sweep(database("identity"), new Date(Date.now() + 6 * MINUTE));
		assert.equal((await sql("select 1 from mfa_tickets where account_id = $1", [account.id])).length, 0);
		assert.equal((await sql("select 1 from totps where account_id = $1", [account.id])).length, 1);
	});
});

describe("tokens", () => {
	test("say when and how somebody proved who they are, and a refresh does not change that", async () => {
		stopClock();
		const { email, tokens: made } = await person();
		const began = Math.floor(Date.now() / 1000);
		const shown = (token: string) => {
			const { acr, auth_time } = decodeJwt(token);
			return [acr, auth_time];
		};
		assert.deepEqual(shown(made.accessToken), ["1", began]);
		turnClock(MINUTE);
		const { tokens: later } = await refresh(made.refreshToken);
		assert.deepEqual(shown(later.accessToken), ["1", began]);
		const { tokens: stepped } = await call("mfa.stepUp", { password: PASSWORD }, { token: later.accessToken });
		assert.deepEqual(shown(stepped.accessToken), ["2", began + 60]);
		assert.equal(decodeJwt(stepped.accessToken).sid, decodeJwt(made.accessToken).sid);
		turnClock(MINUTE);
		assert.deepEqual(shown((await refresh(stepped.refreshToken)).tokens.accessToken), ["2", began + 60]);
		assert.deepEqual(shown((await login(email)).tokens.accessToken), ["1", began + 120]);
	});

	test("of before a step-up stay good until those of after are used: an answer may be lost", async () => {
		const { tokens: made } = await person();
		const { tokens: lost } = await call("mfa.stepUp", { password: PASSWORD }, { token: made.accessToken });
		const { tokens: next } = await refresh(made.refreshToken);
		await refresh(next.refreshToken);
		await refresh(lost.refreshToken);
	});

	test("of before a step-up, used after those of after it, are somebody else's: the session ends", async () => {
		const { tokens: made } = await person();
		const { tokens: stepped } = await call("mfa.stepUp", { password: PASSWORD }, { token: made.accessToken });
		const { tokens: next } = await refresh(stepped.refreshToken);
		await refusedWith("invalid-token", refresh(made.refreshToken, { userAgent: "thief/1" }));
		await refusedWith("invalid-token", refresh(next.refreshToken));
	});

	test("of a session that has ended cannot be stepped up", async () => {
		const { tokens: made } = await person();
		const token = made.accessToken;
		const principal = await tokens(broker).verify(token);
		await sql("update sessions set ended_at = now() where id = $1", [principal.sessionId]);
		await refusedWith("invalid-token", call("mfa.stepUp", { password: PASSWORD }, { token }));
	});

	test("need one proof for a step-up, and only one", async () => {
		const { token, secret } = await withApp();
		await refusedWith("validation", call("mfa.stepUp", {}, { token }));
		await refusedWith("validation", call("mfa.stepUp", { password: PASSWORD, code: codeOf(secret) }, { token }));
	});

	test("of a session from before there were second factors count from its beginning", async () => {
		const { tokens: made } = await person();
		const { sid, iat } = decodeJwt(made.accessToken);
		await sql("update sessions set auth_time = null where id = $1", [sid]);
		const { acr, auth_time } = decodeJwt((await refresh(made.refreshToken)).tokens.accessToken);
		assert.deepEqual([acr, auth_time], ["1", iat]);
	});
});

describe("operators", () => {
	test("see second factors, and remove what was lost: sessions end, it is in the audit", async () => {
		const { email, account, token, secret } = await withApp();
		const { ticket } = await ticketOf(email);
		const shown = await call("accounts.show", { email });
		assert.deepEqual([shown.mfa, shown.factors], [true, ["totp", "recovery"]]);
		assert.deepEqual(await call("mfa.reset", { email }), { id: account.id, email, totp: true, passkeys: 0 });
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(token)), 1_000);
		await refusedWith("invalid-token", second(ticket, "totp", codeOf(secret)));
		assert.equal((await login(email)).account.mfa, false);
		const [entry] = await sql<{ actor: string | null; detail: object }>(
			"select actor, detail from audit where target = $1 and action = 'mfa.reset'",
			[account.id],
		);
		assert.deepEqual(entry, { actor: null, detail: { totp: true, passkeys: 0 } });
		await refusedWith("not-found", call("mfa.reset", { email: "nobody@example.org" }));
	});
});
