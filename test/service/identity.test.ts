// The identity node on a real database: accounts, sessions, tokens and their rotation, throttles, keys.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, afterEach, before, describe, mock, test } from "node:test";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { JSONWebKeySet } from "jose";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import { callAction } from "../../mixins/call.ts";
import { database } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { tokens } from "../../mixins/token.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { ProblemCode } from "../../services/contracts/errors.ts";
import type { SignedIn } from "../../services/contracts/identity.ts";
import type { ActionName, Answer, Meta, ParamsIn } from "../../services/contracts/index.ts";
import auth from "../../services/identity/auth.service.ts";
import { PUBLISH_AHEAD_MS, SIGNS_DAYS } from "../../services/identity/domain/keys.ts";
import { computed } from "../../services/identity/hashing.ts";
import identity from "../../services/identity/identity.service.ts";
import profiles from "../../services/identity/profiles.service.ts";
import sessions from "../../services/identity/sessions.service.ts";
import { Signing } from "../../services/identity/signing.ts";
import type { FreshDatabase } from "../support/database.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

let db: FreshDatabase;
let broker: ServiceBroker;

async function start(): Promise<ServiceBroker> {
	const env = readEnv({ NODE_ENV: "test", DATA_DIR: "/nonexistent", SECRET_KEY: TEST_SECRET_KEY, LOG_LEVEL: "fatal" });
	const made = new ServiceBroker(brokerOptions(env, { checkAnswers: true }));
	provideSettings(made, env);
	for (const schema of [identity, auth, sessions, profiles]) made.createService(schema);
	tokens(made);
	await made.start();
	return made;
}

before(async () => {
	db = await testDatabase(["identity"]);
	broker = await start();
});
after(async () => {
	await broker?.stop();
	await db?.close();
});
afterEach(() => mock.timers.reset());

const sql = <R = Record<string, unknown>>(text: string, values: unknown[] = []) => database("identity").query<R>(text, values);
const turn = (ms: number) => (ms === 0 ? mock.timers.enable({ apis: ["Date"], now: Date.now() }) : mock.timers.setTime(Date.now() + ms));
const MINUTE = 60_000;
const DAY = 86_400_000;

/** A client: its address and what it calls itself, and the token it has. */
interface From {
	address?: string;
	userAgent?: string;
	token?: string;
	key?: string;
}
let hosts = 0;
/** An address nobody had before: throttles of one test are not another's. */
const newAddress = () => `10.${(hosts >> 8) & 255}.${hosts++ & 255}.7`;

async function call<A extends ActionName>(name: A, params: ParamsIn<A>, from: From = {}): Promise<Answer<A>> {
	const { address = newAddress(), userAgent = "phone/1", token, key } = from;
	const principal = token ? await tokens(broker).verify(token) : undefined;
	const idempotency = key
		? { key, scope: `${address} ${name}`, hash: createHash("sha256").update(JSON.stringify(params)).digest("base64url") }
		: undefined;
	const meta: Meta = { address, userAgent, requestId: "a-request", principal, idempotency };
	return callAction(broker, name, params, { meta });
}
const refusedWith = async (code: ProblemCode, promise: Promise<unknown>) => {
	let problem: unknown;
	await assert.rejects(promise, (error) => {
		problem = error;
		return isProblem(error, code) || assert.fail(`expected ${code}, got ${String(error)}`);
	});
	return problem as { data: Record<string, unknown> };
};

const newEmail = () => `${randomUUID().slice(0, 13)}@example.org`;
const PASSWORD = "three green bottles";
async function person(from: From = {}): Promise<SignedIn & { email: string }> {
	const email = newEmail();
	return { email, ...(await call("auth.register", { email, password: PASSWORD, displayName: "Ana" }, from)) };
}
const login = (email: string, password = PASSWORD, from: From = {}) => call("auth.login", { email, password }, from);
const refresh = (refreshToken: string, from: From = {}) => call("auth.refresh", { refreshToken }, from);
const facts = (aggregate: string) =>
	sql<{ type: string; payload: Record<string, unknown>; requestId: string }>(
		`select type, payload, request_id as "requestId" from outbox where aggregate = $1 order by id`,
		[aggregate],
	);

describe("register", () => {
	test("makes an account and a consumer profile, signs it in, and tells both facts", async () => {
		const email = newEmail();
		const made = await call("auth.register", {
			email: `  ${email.toUpperCase()} `,
			password: PASSWORD,
			displayName: "Ana",
			language: "pt",
		});
		assert.deepEqual({ ...made.account, id: "" }, { id: "", email, state: "unverified", role: "user" });
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
		turn(0);
		const { email } = await person(from);
		for (let i = 0; i < 4; i++) assert.deepEqual(await call("auth.availability", { email }, from), { available: false });
		for (let i = 0; i < 5; i++) assert.deepEqual(await call("auth.availability", { email: newEmail() }, from), { available: true });
		const { data } = await refusedWith("rate-limited", call("auth.availability", { email }, from));
		assert.ok((data.retryAfter as number) > 0);
		await refusedWith("rate-limited", person(from));
		await person();
		turn(60 * MINUTE);
		await person(from);
	});
});

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

describe("guessing", () => {
	test("ends for an account and address after ten wrong ones, for a quarter of an hour; elsewhere the owner enters", async () => {
		const from = { address: newAddress() };
		const { email } = await person();
		turn(0);
		for (let i = 0; i < 10; i++) await refusedWith("invalid-credentials", login(email, `guess number ${i}`, from));
		const before = computed.hashes;
		const { data } = await refusedWith("rate-limited", login(email, "guess", from));
		assert.equal(data.retryAfter, 900);
		await refusedWith("rate-limited", login(email, PASSWORD, from));
		assert.equal(computed.hashes, before, "a refused try costs no hash");
		await login(email, PASSWORD, { address: newAddress() });
		turn(15 * MINUTE + 1000);
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
		const [entry] = await sql<{ action: string; detail: Record<string, unknown> }>("select action, detail from audit where target = $1", [
			sid,
		]);
		assert.deepEqual(entry, { action: "session.reuse", detail: { accountId: account.id, address: "192.0.2.66", device: "thief/1" } });
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
	test("does not forgive after ten seconds", async () => {
		const { tokens: first } = await person();
		turn(0);
		const { tokens: second } = await refresh(first.refreshToken);
		turn(10_001);
		await refusedWith("invalid-token", refresh(first.refreshToken));
		await refusedWith("invalid-token", refresh(second.refreshToken));
	});
	test("a session lives thirty days from its login, however often it is refreshed", async () => {
		turn(0);
		const { tokens: first } = await person();
		turn(29 * DAY);
		const { tokens: second } = await refresh(first.refreshToken);
		turn(DAY + 1000);
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

describe("the token endpoint", () => {
	test("speaks RFC 6749 for passwords and refresh tokens", async () => {
		const { email } = await person();
		const first = await call("auth.token", { grant_type: "password", username: email, password: PASSWORD, scope: "openid" });
		assert.deepEqual([first.token_type, first.expires_in, first.scope], ["Bearer", 600, "account:own"]);
		const second = await call("auth.token", { grant_type: "refresh_token", refresh_token: first.refresh_token });
		assert.equal(decodeJwt(second.access_token).sid, decodeJwt(first.access_token).sid);
	});
	test("refuses in its words", async () => {
		const { email } = await person();
		const cases = [
			[{}, 400, "invalid_request"],
			[{ grant_type: "password", username: email }, 400, "invalid_request"],
			[{ grant_type: "refresh_token" }, 400, "invalid_request"],
			[{ grant_type: "password", username: email, password: "something else" }, 400, "invalid_grant"],
			[{ grant_type: "refresh_token", refresh_token: "unknown" }, 400, "invalid_grant"],
			[{ grant_type: "authorization_code" }, 400, "unsupported_grant_type"],
			[{ grant_type: "client_credentials", client_id: "x", client_secret: "y" }, 401, "invalid_client"],
		] as const;
		for (const [params, status, error] of cases) {
			await assert.rejects(call("auth.token", params), (thrown: { code: number; data: { oauth: { error: string } } }) => {
				assert.deepEqual([thrown.code, thrown.data.oauth.error], [status, error]);
				return true;
			});
		}
	});
});

describe("an access token", () => {
	test("carries the claims of the spec, and validate tells them", async () => {
		const { account, profile, tokens: made } = await person();
		const { typ, alg, kid } = decodeProtectedHeader(made.accessToken);
		const claims = decodeJwt(made.accessToken);
		assert.deepEqual([typ, alg], ["at+jwt", "RS256"]);
		const { iat = 0, jti, sid, ...rest } = claims;
		assert.deepEqual(rest, {
			iss: "http://localhost:3000",
			aud: "reloop",
			exp: iat + 600,
			sub: account.id,
			name: "Ana",
			profile: profile.id,
			profiles: [profile.id],
			roles: ["user", "consumer"],
			scope: "account:own",
		});
		assert.ok(jti && sid);
		assert.deepEqual(await call("auth.validate", {}, { token: made.accessToken }), claims);
		const { keys } = await call("identity.jwks", {});
		assert.ok(keys.some((key) => (key as { kid: string }).kid === kid));
		for (const key of keys) assert.deepEqual(Object.keys(key as object).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
		await jwtVerify(made.accessToken, createLocalJWKSet({ keys } as unknown as JSONWebKeySet));
	});
	test("opens me: the account, the active profile and all profiles", async () => {
		const { account, profile, tokens: made } = await person();
		assert.deepEqual(await call("auth.me", {}, { token: made.accessToken }), { account, profile, profiles: [profile] });
		assert.deepEqual(await call("profiles.mine", {}, { token: made.accessToken }), { data: [profile], nextCursor: null });
		const other = await person();
		assert.deepEqual(await call("profiles.show", { profileId: profile.id }, { token: other.tokens.accessToken }), profile);
		await refusedWith("not-found", call("profiles.show", { profileId: randomUUID() }, { token: other.tokens.accessToken }));
	});
});

describe("sessions", () => {
	test("are listed newest first, in pages, with the device and address they came from", async () => {
		const { email } = await person({ userAgent: "laptop/1", address: "192.0.2.1" });
		await login(email, PASSWORD, { userAgent: "phone/1" });
		const { tokens: here } = await login(email, PASSWORD, { userAgent: "tablet/1", address: "192.0.2.3" });
		const from = { token: here.accessToken };
		const first = await call("sessions.list", { limit: 2 }, from);
		assert.deepEqual(
			first.data.map(({ device, current }) => [device, current]),
			[
				["tablet/1", true],
				["phone/1", false],
			],
		);
		assert.equal(first.data[0]?.address, "192.0.2.3");
		const rest = await call("sessions.list", { limit: 2, cursor: first.nextCursor as string }, from);
		assert.deepEqual([rest.data.map(({ device }) => device), rest.nextCursor], [["laptop/1"], null]);
	});
	test("one's own can be ended, a stranger's is not found; its tokens are refused within a second", async () => {
		const { email, tokens: old } = await person();
		const { tokens: here } = await login(email);
		const stranger = await person();
		const sessionId = decodeJwt(old.accessToken).sid as string;
		await refusedWith("not-found", call("sessions.end", { sessionId }, { token: stranger.tokens.accessToken }));
		await call("sessions.end", { sessionId }, { token: here.accessToken });
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(old.accessToken)), 1_000);
		await refusedWith("invalid-token", refresh(old.refreshToken));
		await refusedWith("not-found", call("sessions.end", { sessionId }, { token: here.accessToken }));
		await call("auth.me", {}, { token: here.accessToken });
	});
	test("logout ends this one, with all=true every one of the account, each with a fact", async () => {
		const { email, account, tokens: one } = await person();
		const [two, three] = [await login(email), await login(email)];
		await call("auth.logout", {}, { token: one.accessToken });
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(one.accessToken)), 1_000);
		await tokens(broker).verify(two.tokens.accessToken);
		await call("auth.logout", { all: true }, { token: two.tokens.accessToken });
		for (const { tokens: gone } of [two, three]) {
			await eventually(() => refusedWith("invalid-token", tokens(broker).verify(gone.accessToken)), 1_000);
			await refusedWith("invalid-token", refresh(gone.refreshToken));
		}
		const told = (await facts(account.id)).filter(({ type }) => type === "identity.session.revoked");
		assert.deepEqual(
			told.map(({ payload }) => payload.reason),
			["logout", "logout", "logout"],
		);
	});
	test("a door that starts later, or missed the signal, refuses a revoked token too", async () => {
		const { tokens: made } = await person();
		await call("auth.logout", {}, { token: made.accessToken });
		const fresh = await start();
		try {
			await refusedWith("invalid-token", tokens(fresh).verify(made.accessToken));
			// Ended by another process: no signal comes, the door asks.
			const { tokens: quiet } = await person();
			await tokens(fresh).verify(quiet.accessToken);
			await sql("update sessions set ended_at = $2 where id = $1", [decodeJwt(quiet.accessToken).sid, new Date()]);
			await eventually(() => refusedWith("invalid-token", tokens(fresh).verify(quiet.accessToken)), 3_000);
		} finally {
			await fresh.stop();
		}
	});
	test("revocations are told as long as a token of theirs could live, or since a time", async () => {
		const { tokens: made } = await person();
		const sessionId = decodeJwt(made.accessToken).sid as string;
		turn(0);
		await call("auth.logout", {}, { token: made.accessToken });
		const told = async (since?: string) => {
			const { sessions: ended } = await call("identity.revocations", since ? { since } : {});
			return ended.some((one) => one.sessionId === sessionId);
		};
		const then = new Date(Date.now() + 1).toISOString();
		assert.deepEqual([await told(), await told(then)], [true, false]);
		turn(10 * MINUTE);
		assert.equal(await told(), true);
		turn(MINUTE);
		assert.equal(await told(), false);
	});
});

describe("operators", () => {
	test("make accounts with a role; a password is made where none is given", async () => {
		const made = await call("auth.create", { email: newEmail() });
		assert.ok(made.password.length >= 16);
		const { account, tokens: admin } = await login(made.email, made.password);
		assert.deepEqual([account.role, account.state], ["admin", "active"]);
		assert.match(String(decodeJwt(admin.accessToken).scope), /\bops:read\b/);
		await refusedWith("email-taken", call("auth.create", { email: made.email }));
	});
	test("give roles; tokens with the old one end, and it is in the audit for good", async () => {
		const { email, account, tokens: old } = await person();
		assert.equal((await call("auth.setRole", { email, role: "moderator" })).role, "moderator");
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(old.accessToken)), 1_000);
		assert.deepEqual(decodeJwt((await login(email)).tokens.accessToken).roles, ["moderator", "consumer"]);
		const [entry] = await sql<{ action: string; detail: object }>("select action, detail from audit where target = $1", [account.id]);
		assert.deepEqual(entry, { action: "account.role", detail: { before: "user", after: "moderator" } });
		await assert.rejects(sql("update audit set action = 'nothing' where target = $1", [account.id]), /kept as they are/);
		await assert.rejects(sql("delete from audit where target = $1", [account.id]), /kept as they are/);
		await refusedWith("not-found", call("auth.setRole", { email: newEmail(), role: "admin" }));
	});
	test("a login at the moment of the change has the new role or ends", async () => {
		const { email } = await person();
		for (const role of ["moderator", "user", "government", "admin"] as const) {
			const [signed] = await Promise.all([login(email), call("auth.setRole", { email, role })]);
			const { accessToken } = signed.tokens;
			if ((decodeJwt(accessToken).roles as string[])[0] !== role)
				await eventually(() => refusedWith("invalid-token", tokens(broker).verify(accessToken)), 1_000);
		}
	});
});

describe("signing keys", () => {
	const kids = async () => (await call("identity.jwks", {})).keys.map((key) => (key as { kid: string }).kid);

	test("many processes starting at once make one", async () => {
		await sql("delete from signing_keys");
		const starting = Array.from({ length: 4 }, () => new Signing(database("identity"), broker));
		await Promise.all(starting.map((signing) => signing.ensureKey(new Date())));
		const sets = await Promise.all(starting.map((signing) => signing.publicKeys()));
		assert.deepEqual(new Set(sets.map((set) => set.map(({ kid }) => kid).join())).size, 1);
		assert.equal(sets[0]?.length, 1);
	});
	test("are followed on schedule: the next is published first and signs later; tokens of the old one stay good", async () => {
		const signing = new Signing(database("identity"), broker);
		const claims = { sub: "a", sid: "s", name: "Ana", profile: "p", profiles: [], roles: [], scope: "" };
		const kidAt = async (now: Date) => decodeProtectedHeader((await signing.sign(claims, now)).accessToken).kid;
		const now = new Date();
		await signing.ensureKey(now);
		const [first] = (await signing.publicKeys()).map(({ kid }) => kid);
		const due = new Date(now.getTime() + SIGNS_DAYS * DAY);
		await signing.ensureKey(due);
		assert.equal((await signing.publicKeys()).length, 2);
		assert.equal(await kidAt(due), first);
		assert.notEqual(await kidAt(new Date(due.getTime() + PUBLISH_AHEAD_MS)), first);
		assert.ok((await signing.publicKeys()).some(({ kid }) => kid === first));
		assert.ok((await kids()).length >= 1);
	});
	test("cannot be read without the SECRET_KEY", async () => {
		const rows = await sql<{ sealed: Buffer }>("select private_sealed as sealed from signing_keys");
		assert.ok(rows.length > 0);
		for (const { sealed } of rows) assert.doesNotMatch(sealed.toString("latin1"), /"[dpq]"|RSA|PRIVATE/);
	});
});

test("no password and no token is kept in clear, in any table", async () => {
	const from = { address: newAddress(), key: randomUUID() };
	const { email, tokens: made } = await person(from);
	const again = await login(email, PASSWORD, { ...from, key: randomUUID() });
	const { tokens: next } = await refresh(made.refreshToken, { key: randomUUID() });
	await refusedWith("invalid-credentials", login(email, "another secret phrase"));
	const secrets = [PASSWORD, "another secret phrase", ...[made, again.tokens, next].flatMap((one) => [one.accessToken, one.refreshToken])];
	const forms = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("hex"), Buffer.from(secret).toString("base64")]);
	const tables = await sql<{ name: string }>(
		"select table_name as name from information_schema.tables where table_schema = current_schema()",
	);
	assert.ok(tables.length > 8);
	for (const { name } of tables) {
		const text = (await sql<{ row: string }>(`select t::text as row from ${name} t`)).map(({ row }) => row).join("\n");
		for (const form of forms) assert.ok(!text.includes(form), `${name} holds a secret`);
	}
});
