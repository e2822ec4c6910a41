// Clerk's webhook: what counts as signed, what comes twice or out of order, and what follows from it.
import assert from "node:assert/strict";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { foreignIssuers } from "../support/foreign-issuer.ts";
import type { Reply } from "../support/kit.ts";
import { eventually, http, is, person, startTestApp, testApp, told } from "../support/kit.ts";

const key = randomBytes(24);
const { clerk, environment } = await foreignIssuers("clerk");
const app = await testApp({ ...environment, CLERK_WEBHOOK_SECRET: `whsec_${key.toString("base64")}` });
const sql = <R = Record<string, unknown>>(text: string, values: unknown[] = []) => database("identity").query<R>(text, values);

const seconds = () => Math.floor(Date.now() / 1000);
const sign = (id: string, at: number, body: string | Buffer, secret: Buffer = key) =>
	`v1,${createHmac("sha256", secret).update(`${id}.${at}.`).update(body).digest("base64")}`;
async function post(body: string | Buffer, headers: Record<string, string>): Promise<Reply> {
	const answer = await fetch(`${app.url}/api/webhooks/clerk`, {
		method: "POST",
		body,
		headers: { "Content-Type": "application/json", ...headers },
	});
	const text = await answer.text();
	return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : {} };
}
const signed = (body: string | Buffer, { id = `msg_${randomUUID()}`, at = seconds() } = {}) =>
	post(body, { "svix-id": id, "svix-timestamp": String(at), "svix-signature": sign(id, at, body) });

interface Said {
	id?: string;
	email?: string;
	status?: string;
	name?: string;
	at?: number;
}
const userEvent = (
	type: string,
	{ id = `user_${randomUUID()}`, email = `${randomUUID()}@example.org`, status = "verified", name = "Ana", at = Date.now() }: Said,
) =>
	JSON.stringify({
		object: "event",
		type,
		data: {
			id,
			email_addresses: [{ id: "e1", email_address: email, verification: { status } }],
			primary_email_address_id: "e1",
			first_name: name,
			last_name: null,
			username: null,
			created_at: at,
			updated_at: at,
		},
	});
const gone = (id: string) => JSON.stringify({ object: "event", type: "user.deleted", data: { id, deleted: true, object: "user" } });
const good = async (body: string) => assert.equal((await signed(body)).status, 204);
const accountOf = async (email: string) =>
	(await sql<{ id: string; state: string }>("select id, state from accounts where email = $1", [email]))[0];
const signIn = async (sub: string, claims: Record<string, unknown> = {}) =>
	http(app.url, "/api/auth/federated", { body: { provider: "clerk", idToken: await clerk.token({ sub, ...claims }) } });

describe("a message", () => {
	const event = () => userEvent("user.created", {});

	test("is believed when it is signed over its bytes, by svix's names or the standard's, by any of several signatures", async () => {
		const [body, id, at] = [event(), "msg_1", seconds()];
		const good = sign(id, at, body);
		const other = sign(id, at, body, randomBytes(24));
		for (const [names, signature] of [
			["svix", good],
			["webhook", good],
			["svix", `${other} ${good}`],
			["svix", `v2,AAAA ${good}`],
		])
			assert.equal(
				(await post(body, { [`${names}-id`]: id, [`${names}-timestamp`]: String(at), [`${names}-signature`]: signature as string })).status,
				204,
			);
		// To the byte: with white space, an escape and a byte order mark that a parser would lose.
		const odd = `\ufeff ${JSON.stringify({ type: "session.created", data: { name: "é" } }, null, 3)}\n`;
		is(await signed(odd), 400, "malformed");
		assert.equal((await signed(odd.slice(1).replace("é", "\\u00e9"))).status, 204);
	});

	test("is refused when it is forged, changed, old, from the future, or signed by another", async () => {
		const [body, id, at] = [event(), "msg_2", seconds()];
		const good = { "svix-id": id, "svix-timestamp": String(at), "svix-signature": sign(id, at, body) };
		const old = at - 301;
		const early = at + 301;
		const cases: [string, Record<string, string>][] = [
			[`${body} `, good],
			[body.replace("Ana", "Eve"), good],
			["", good],
			[body, {}],
			[body, { ...good, "svix-id": "msg_3" }],
			[body, { ...good, "svix-timestamp": String(at + 1) }],
			[body, { ...good, "svix-timestamp": "soon" }],
			[body, { ...good, "svix-signature": "v1," }],
			[body, { ...good, "svix-signature": "v1" }],
			[body, { ...good, "svix-signature": sign(id, at, body).replace("v1,", "v0,") }],
			[body, { ...good, "svix-signature": sign(id, at, body, randomBytes(24)) }],
			[body, { ...good, "svix-signature": sign(id, at, body, Buffer.alloc(0)) }],
			[body, { "svix-id": id, "svix-timestamp": String(old), "svix-signature": sign(id, old, body) }],
			[body, { "svix-id": id, "svix-timestamp": String(early), "svix-signature": sign(id, early, body) }],
			[body, { "svix-id": "x".repeat(300), "svix-timestamp": String(at), "svix-signature": sign("x".repeat(300), at, body) }],
		];
		for (const [sent, headers] of cases) {
			const { status, body: answer } = await post(sent, headers);
			assert.deepEqual([status, answer.code], [400, "bad-signature"], JSON.stringify(headers));
		}
		assert.deepEqual(await sql("select 1 from webhooks_heard where id = any($1)", [["msg_2", "msg_3"]]), []);
	});

	test("that comes twice, or ten times at once, is heard once and always thanked for", async () => {
		const id = `user_${randomUUID()}`;
		const email = `${randomUUID()}@example.org`;
		const body = userEvent("user.created", { id, email });
		const message = `msg_${randomUUID()}`;
		const replies = await Promise.all(Array.from({ length: 10 }, () => signed(body, { id: message })));
		for (const { status } of replies) assert.equal(status, 204);
		const account = await accountOf(email);
		// Somebody unlinks; the same message again does nothing.
		await sql("delete from identities where account_id = $1", [account?.id]);
		await sql("delete from directory_users where subject = $1", [id]);
		assert.equal((await signed(body, { id: message, at: seconds() + 5 })).status, 204);
		assert.deepEqual(await sql("select 1 from identities where subject = $1", [id]), []);
	});

	test("of another kind is thanked for, and one that Clerk would not send is 422", async () => {
		await good(JSON.stringify({ type: "session.created", data: { id: "sess_1" } }));
		for (const body of ["[]", "{}", JSON.stringify({ type: "user.updated", data: { id: 7 } })]) is(await signed(body), 422, "validation");
		is(await signed(Buffer.from([0x7b, 0xff, 0x7d])), 400, "malformed");
	});

	test("keeps its answer for an Idempotency-Key", async () => {
		const [body, id, at] = [event(), "msg_5", seconds()];
		const headers = { "Idempotency-Key": randomUUID(), "svix-id": id, "svix-timestamp": String(at), "svix-signature": sign(id, at, body) };
		for (let i = 0; i < 2; i++) assert.equal((await post(body, headers)).status, 204);
	});
});

describe("somebody at Clerk", () => {
	test("has an account here before they come, and comes in to that", async () => {
		const [id, email] = [`user_${randomUUID()}`, `${randomUUID()}@example.org`];
		await good(userEvent("user.created", { id, email, name: "Ana" }));
		const account = await accountOf(email);
		assert.equal(account?.state, "active");
		assert.equal((await told("identity.account.registered", account?.id)).length, 1);
		const reply = is(await signIn(id, { email }), 200).body;
		assert.deepEqual([reply.account.id, reply.created, reply.profile.displayName], [account?.id, false, "Ana"]);
	});

	test("is nothing more here than anybody, whatever else Clerk says of them", async () => {
		const [id, email] = [`user_${randomUUID()}`, `${randomUUID()}@example.org`];
		const more = { role: "admin", roles: ["admin"], state: "active", account_id: randomUUID(), public_metadata: { role: "admin" } };
		const event = JSON.parse(userEvent("user.created", { id, email }));
		await good(JSON.stringify({ ...event, ...more, data: { ...event.data, ...more, private_metadata: more, banned: false } }));
		const made = await sql("select role, state from accounts where email = $1", [email]);
		assert.deepEqual(made, [{ role: "user", state: "active" }]);
		const { account, tokens } = is(await signIn(id, { email, ...more }), 200).body;
		assert.equal(account.role, "user");
		is(await http(app.url, "/api/admin/users", { token: tokens.accessToken }), 403, "forbidden");
	});

	test("is linked to the account of a verified e-mail, and takes over none that is unverified", async () => {
		const [ana, eve] = [await person(app.url, "Ana"), await person(app.url, "Eve")];
		await sql("update accounts set state = 'active' where id = $1", [ana.accountId]);
		const [one, two, three] = ["a", "b", "c"].map(() => `user_${randomUUID()}`);
		await good(userEvent("user.created", { id: one, email: ana.email }));
		await good(userEvent("user.created", { id: two, email: eve.email }));
		await good(userEvent("user.created", { id: three, email: ana.email, status: "unverified" }));
		const linked = await sql("select subject, account_id from identities where subject = any($1)", [[one, two, three]]);
		assert.deepEqual(linked, [{ subject: one, account_id: ana.accountId }]);
	});

	test("is followed in e-mail and name by what was said last, however late the rest arrives", async () => {
		const id = `user_${randomUUID()}`;
		const [first, second, third] = ["1", "2", "3"].map((n) => `${n}-${randomUUID()}@example.org`);
		const at = Date.now();
		await good(userEvent("user.created", { id, email: first, name: "Ana", at }));
		const account = await accountOf(first as string);
		await good(userEvent("user.updated", { id, email: third, name: "Ana C", at: at + 2 }));
		await good(userEvent("user.updated", { id, email: second, name: "Ana B", at: at + 1 }));
		await good(userEvent("user.created", { id, email: first, name: "Ana", at }));
		assert.equal((await accountOf(third as string))?.id, account?.id);
		const [profile] = await sql("select display_name from profiles where account_id = $1", [account?.id]);
		assert.deepEqual(profile, { display_name: "Ana C" });
	});

	test("keeps the name and the e-mail that they have chosen here, and takes nobody else's", async () => {
		const id = `user_${randomUUID()}`;
		const [email, next] = [`${randomUUID()}@example.org`, `${randomUUID()}@example.org`];
		const at = Date.now();
		await good(userEvent("user.created", { id, email, at }));
		const account = await accountOf(email);
		await sql("update profiles set display_name = 'Annie' where account_id = $1", [account?.id]);
		const ben = await person(app.url, "Ben");
		await good(userEvent("user.updated", { id, email: ben.email, name: "Other", at: at + 1 }));
		assert.equal((await accountOf(email))?.id, account?.id);
		await sql("update accounts set email = $2 where id = $1", [account?.id, `own-${email}`]);
		await good(userEvent("user.updated", { id, email: next, at: at + 2 }));
		assert.equal((await accountOf(`own-${email}`))?.id, account?.id);
		await good(userEvent("user.updated", { id, email: `un-${next}`, status: "unverified", at: at + 3 }));
		assert.equal(await accountOf(`un-${next}`), undefined);
		assert.deepEqual(await sql("select display_name from profiles where account_id = $1", [account?.id]), [{ display_name: "Annie" }]);
	});

	test("who is deleted there is signed out here at once; without another way in, the account is trashed", async () => {
		const [id, email] = [`user_${randomUUID()}`, `${randomUUID()}@example.org`];
		await good(userEvent("user.created", { id, email }));
		const { tokens, account } = is(await signIn(id, { email }), 200).body;
		await good(gone(id));
		await eventually(async () => is(await http(app.url, "/api/auth/me", { token: tokens.accessToken }), 401, "invalid-token"));
		is(await http(app.url, "/api/auth/refresh", { body: { refreshToken: tokens.refreshToken } }), 401, "invalid-token");
		assert.equal((await accountOf(email))?.state, "trashed");
		const [fact] = await told("identity.session.revoked", account.id);
		assert.equal(fact?.payload.reason, "unlinked");
		// Neither the ID token of before nor a message that comes too late brings them back.
		is(await signIn(id, { email }), 401, "invalid-token");
		await good(userEvent("user.updated", { id, email: `new-${email}` }));
		assert.equal(await accountOf(`new-${email}`), undefined);
	});

	test("who is deleted there and has a password here stays, signed out", async () => {
		const ana = await person(app.url, "Ana");
		await sql("update accounts set state = 'active' where id = $1", [ana.accountId]);
		const id = `user_${randomUUID()}`;
		await good(userEvent("user.created", { id, email: ana.email }));
		await good(gone(id));
		await eventually(async () => is(await ana.get("/api/auth/me"), 401, "invalid-token"));
		is(await http(app.url, "/api/auth/login", { body: { email: ana.email, password: ana.password } }), 200);
		assert.deepEqual(await sql("select 1 from identities where account_id = $1", [ana.accountId]), []);
	});

	test("who was deleted before anything else was heard of them is never made", async () => {
		const [id, email] = [`user_${randomUUID()}`, `${randomUUID()}@example.org`];
		await good(gone(id));
		await good(userEvent("user.created", { id, email }));
		assert.equal(await accountOf(email), undefined);
		is(await signIn(id, { email }), 401, "invalid-token");
	});
});

test("messages and codes are swept away when nobody can repeat them any more", async () => {
	const { sweepFederation } = await import("../../services/identity/store/federation.ts");
	await good(userEvent("user.created", {}));
	const left = async () => (await sql("select 1 from webhooks_heard")).length;
	const days = (n: number) => new Date(Date.now() + n * 86_400_000);
	await sweepFederation(database("identity"), days(30));
	assert.ok((await left()) > 0);
	await sweepFederation(database("identity"), days(36));
	assert.equal(await left(), 0);
});

test("without a secret there is no such webhook", async () => {
	await app.stop();
	const bare = await startTestApp();
	is(await http(bare.url, "/api/webhooks/clerk", { body: {} }), 404, "not-found");
	await bare.stop();
});
