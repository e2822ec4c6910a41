// What owners are mailed of what was done to their accounts: each mail as it arrives, through whatever sends it.
import assert from "node:assert/strict";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import { codeOf, softPasskey, wrongCode } from "../support/factors.ts";
import { foreignIssuers } from "../support/foreign-issuer.ts";
import type { Person } from "../support/kit.ts";
import { callAction, eventually, http, is, person, testApp, told, turnClock } from "../support/kit.ts";
import type { Got } from "../support/mailbox.ts";
import { mailsTo, mailTo } from "../support/mailbox.ts";
import { signIn } from "../support/access/callers.ts";

const key = randomBytes(24);
const { clerk, environment } = await foreignIssuers("clerk");
const FACTOR = 100;
const app = await testApp({
	...environment,
	CLERK_WEBHOOK_SECRET: `whsec_${key.toString("base64")}`,
	RATE_LIMIT_FACTOR: String(FACTOR),
});
const { url, broker } = app;
const dataDir = settings(broker).DATA_DIR;
const sql = <R = Record<string, unknown>>(text: string, values: unknown[] = []) => database("identity").query<R>(text, values);

/** Somebody whose address is verified; they have had one mail. */
async function verified(): Promise<Person> {
	const ana = await person(url, "Ana");
	const { code } = await mailTo(dataDir, ana.email);
	is(await http(url, "/api/auth/verify-email", { body: { email: ana.email, code } }), 200);
	return ana;
}
/** The mail to the address that says this, once it is there. */
const mailSaying = (email: string, words: RegExp): Promise<Got> =>
	eventually(async () => {
		const all = await mailsTo(dataDir, email);
		const mail = all.find(({ text }) => words.test(text));
		return mail ?? assert.fail(`No mail says ${words}; there are: ${all.map(({ subject }) => subject).join("; ")}`);
	});

const admin = await person(url, "Admin");
await callAction(broker, "auth.setRole", { email: admin.email, role: "admin" });
await signIn(url, admin);
const look = (who: Person) => `/api/admin/users/${who.accountId}`;

async function withApp(who: Person) {
	const { secret } = is(await who.post("/api/auth/mfa/totp"), 201).body;
	const { recoveryCodes } = is(await who.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200).body;
	return { secret, recoveryCodes };
}
async function withPasskey(who: Person): Promise<string> {
	const options = is(await who.post("/api/auth/mfa/passkeys/options"), 200).body;
	const response = softPasskey(new URL(url).origin).create(options);
	return is(await who.post("/api/auth/mfa/passkeys", { response, name: "My telephone" }), 201).body.id;
}
const linked = async (who: Person): Promise<string> => {
	const idToken = await clerk.token({ sub: randomUUID(), email: `${randomUUID()}@example.org` });
	return is(await who.post("/api/auth/federated/link", { provider: "clerk", idToken }), 201).body.id;
};
async function clerkSays(type: string, data: object): Promise<void> {
	const body = JSON.stringify({ object: "event", type, data });
	const [id, at] = [`msg_${randomUUID()}`, String(Math.floor(Date.now() / 1000))];
	const signature = `v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
	const headers = { "svix-id": id, "svix-timestamp": at, "svix-signature": signature };
	is(await http(url, "/api/webhooks/clerk", { body, headers }), 204);
}
let version = Date.now();
const user = (id: string, email: string, status = "verified") => ({
	id,
	email_addresses: [{ id: "e", email_address: email, verification: { status } }],
	primary_email_address_id: "e",
	first_name: "Ana",
	updated_at: ++version,
});
/** Somebody who came by the directory, with an address that it knows to be theirs. */
async function ofDirectory(): Promise<{ id: string; email: string; accountId: string }> {
	const [id, email] = [randomUUID(), `${randomUUID()}@example.org`];
	await clerkSays("user.created", user(id, email));
	const [row] = await sql<{ id: string }>("select id from accounts where email = $1", [email]);
	return { id, email, accountId: row?.id ?? assert.fail("no account") };
}

interface Row {
	/** What is done, and to whom: answers the address of the mail where it is not the person's. */
	act(who: Person): Promise<unknown>;
	says: RegExp;
	link?: RegExp;
}
const NOT_YOU = /\/forgot-password$/;

const rows: Record<string, Row> = {
	"an authenticator app is turned on": { act: withApp, says: /asks for a code of the authenticator app from now on/, link: NOT_YOU },
	"an authenticator app is turned off": {
		async act(who) {
			const { secret } = await withApp(who);
			is(await who.send("DELETE", "/api/auth/mfa/totp", { code: codeOf(secret, 1) }), 204);
		},
		says: /no longer asks for a code/,
		link: NOT_YOU,
	},
	"a passkey is added": { act: withPasskey, says: /The passkey "My telephone" was added/, link: NOT_YOU },
	"a passkey is removed": {
		act: async (who) => is(await who.send("DELETE", `/api/auth/mfa/passkeys/${await withPasskey(who)}`), 204),
		says: /The passkey "My telephone" no longer opens/,
		link: NOT_YOU,
	},
	"a recovery code is used": {
		async act(who) {
			const { recoveryCodes } = await withApp(who);
			const { ticket } = (await http(url, "/api/auth/login", { body: { email: who.email, password: who.password } })).body;
			is(await http(url, "/api/auth/mfa/login", { body: { ticket, method: "recovery", code: recoveryCodes[0] } }), 200);
		},
		says: /Codes that are left: 9\./,
		link: NOT_YOU,
	},
	"the recovery codes are renewed": {
		async act(who) {
			await withApp(who);
			is(await who.post("/api/auth/mfa/recovery-codes"), 200);
		},
		says: /Ten new recovery codes were made/,
		link: NOT_YOU,
	},
	"an operator removes the second factors": {
		async act(who) {
			await withApp(who);
			await callAction(broker, "mfa.reset", { email: who.email });
		},
		says: /An operator has removed the authenticator app/,
		link: NOT_YOU,
	},
	"a way to sign in is linked": { act: linked, says: /can be signed in to with "clerk" from now on/, link: NOT_YOU },
	"a way to sign in is linked by the address": {
		async act(who) {
			const idToken = await clerk.token({ sub: randomUUID(), email: who.email });
			is(await http(url, "/api/auth/federated", { body: { provider: "clerk", idToken } }), 200);
		},
		says: /can be signed in to with "clerk" from now on/,
		link: NOT_YOU,
	},
	"a way to sign in is unlinked": {
		act: async (who) => is(await who.send("DELETE", `/api/auth/federated/${await linked(who)}`), 204),
		says: /"clerk" no longer opens your account/,
		link: NOT_YOU,
	},
	"the account is banned for good": {
		act: async (who) => is(await admin.post(`${look(who)}/ban`, { reason: "Sold <b>air</b>." }), 200),
		says: /was banned, and its sessions were ended\.\n\nThe reason given: Sold <b>air<\/b>\./,
	},
	"the account is banned until a time": {
		act: async (who) => is(await admin.post(`${look(who)}/ban`, { reason: "Rude.", until: "2100-05-04T03:02:01.000Z" }), 200),
		says: /banned until 2100-05-04 03:02 UTC.*Rude\./s,
	},
	"a ban is ended": {
		async act(who) {
			is(await admin.post(`${look(who)}/ban`, { reason: "Rude." }), 200);
			is(await admin.post(`${look(who)}/unban`), 200);
		},
		says: /The ban of your account has ended/,
	},
	"an admin asks for a new password": {
		act: async (who) => is(await admin.post(`${look(who)}/reset-password`), 200),
		says: /has asked for a new password for yours.*^code: \d{6}$/ms,
		link: /\/reset-password\?token=/,
	},
	"an admin gives a temporary password": {
		act: async (who) => is(await admin.post(`${look(who)}/reset-password`, { temporary: true }), 200),
		says: /has asked for a new password for yours/,
		link: /\/reset-password\?token=/,
	},
	"many passwords are to be changed at once": {
		act: async (who) => is(await admin.post("/api/admin/users/bulk-status", { ids: [who.accountId], state: "mustChangePassword" }), 202),
		says: /has asked for a new password for yours/,
	},
	"an admin changes the address (to the old one)": {
		act: async (who) => is(await admin.send("PATCH", look(who), { email: `new-${who.email}` }), 200),
		says: /has the address new-ana\S+ now/,
	},
	"an admin begins to purge the account": {
		act: async (who) => is(await admin.post(`${look(who)}/purge`), 200),
		says: /Your account at Reloop was erased/,
	},
};

describe("the owner is told by mail that", () => {
	for (const [what, { act, says, link }] of Object.entries(rows))
		test(what, async () => {
			const ana = await verified();
			await act(ana);
			const { links } = await mailSaying(ana.email, says);
			assert.equal(links.length, link ? 1 : links.length);
			if (link) assert.match(links[0] ?? "", link);
		});

	test("somebody reaches the daily limit of wrong codes, once", async () => {
		const ana = await verified();
		const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
		is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200);
		// Fifty a day, times the factor: from here and there.
		await sql(
			"insert into mfa_failures (account_id, address, kind, at) select $1, 'host ' || n, 'totp', now() from generate_series(1, $2) n",
			[ana.accountId, 50 * FACTOR - 2],
		);
		const guess = (code: string) => ana.post("/api/auth/step-up", { code });
		const mailed = async () => (await mailsTo(dataDir, ana.email)).length;
		is(await guess(wrongCode(secret)), 401, "invalid-credentials");
		assert.equal(await mailed(), 2);
		is(await guess(wrongCode(secret)), 401, "invalid-credentials");
		const { links } = await mailSaying(ana.email, /So many wrong codes were tried/);
		assert.match(links[0] ?? "", NOT_YOU);
		is(await guess(wrongCode(secret)), 429, "rate-limited");
		assert.equal(await mailed(), 3);
	});

	test("a ban's time is over", async () => {
		const ana = await verified();
		is(await admin.post(`${look(ana)}/ban`, { reason: "Rude.", until: new Date(Date.now() + 60_000).toISOString() }), 200);
		turnClock(61_000);
		await mailSaying(ana.email, /The ban of your account has ended/);
	});

	test("the directory has another address of theirs, at the old one; that one is proved, and codes to the old one are not", async () => {
		const { id, email, accountId } = await ofDirectory();
		assert.equal((await told("identity.account.verified", accountId)).length, 1);
		is(await http(url, "/api/auth/forgot-password", { body: { email } }), 202);
		const { code } = await mailSaying(email, /Somebody asked for a new password/);
		const next = `next-${email}`;
		await clerkSays("user.updated", user(id, next));
		await mailSaying(email, /has the address next-\S+ now/);
		for (const address of [email, next])
			is(
				await http(url, "/api/auth/reset-password", { body: { email: address, code, password: "four green bottles" } }),
				400,
				"invalid-code",
			);
		is(await http(url, "/api/auth/forgot-password", { body: { email: next } }), 202);
		await mailSaying(next, /Somebody asked for a new password/);
		// And lets them go: where they came in by it alone, nobody reads that they are gone but there.
		await clerkSays("user.deleted", { id, deleted: true });
		await mailSaying(next, /"clerk" no longer opens/);
	});

	test("what was done, in the account's language", async () => {
		const ana = await verified();
		is(await ana.send("PATCH", "/api/auth/me", { language: "ar" }), 200);
		await withPasskey(ana);
		assert.match((await mailSaying(ana.email, /أُضيف مفتاح المرور «My telephone»/)).html, /dir="rtl"/);
	});
});

describe("an address that nobody has proved", () => {
	test("is mailed nothing of all that", async () => {
		const ana = await person(url, "Ana");
		await withApp(ana);
		await withPasskey(ana);
		is(await admin.post(`${look(ana)}/ban`, { reason: "Rude." }), 200);
		is(await admin.post(`${look(ana)}/unban`), 200);
		is(await admin.post(`${look(ana)}/reset-password`), 200);
		const waits = () => sql("select 1 from identity_jobs.jobs where task_identifier = 'mail'");
		await eventually(async () => assert.deepEqual(await waits(), []));
		const [only, ...more] = await mailsTo(dataDir, ana.email);
		assert.match(only?.text ?? "", /^code: \d{6}$/m);
		assert.deepEqual(more, []);
	});

	test("of somebody who signs in at an issuer is mailed a code, which proves it", async () => {
		const [sub, email] = [randomUUID(), `${randomUUID()}@example.org`];
		const idToken = await clerk.token({ sub, email, email_verified: false });
		const { account } = is(await http(url, "/api/auth/federated", { body: { provider: "clerk", idToken } }), 200).body;
		assert.equal(account.state, "unverified");
		assert.deepEqual(await told("identity.account.verified", account.id), []);
		const { code } = await mailSaying(email, /Please confirm that this address is yours/);
		assert.equal(is(await http(url, "/api/auth/verify-email", { body: { email, code } }), 200).body.account.state, "active");
		assert.equal((await told("identity.account.verified", account.id)).length, 1);
	});

	test("is proved by the issuer's word, at the next sign-in or by the directory, and told once", async () => {
		const signedIn = async (sub: string, email: string, email_verified: boolean) =>
			is(
				await http(url, "/api/auth/federated", { body: { provider: "clerk", idToken: await clerk.token({ sub, email, email_verified }) } }),
				200,
			).body;
		const byDirectory = async (sub: string, email: string) => clerkSays("user.updated", user(sub, email));
		for (const prove of [(sub: string, email: string) => signedIn(sub, email, true), byDirectory]) {
			const [sub, email] = [randomUUID(), `${randomUUID()}@example.org`];
			const { account } = await signedIn(sub, email, false);
			await prove(sub, email);
			await prove(sub, email);
			const [row] = await sql("select state, verified_at is not null as verified from accounts where id = $1", [account.id]);
			assert.deepEqual(row, { state: "active", verified: true });
			assert.equal((await told("identity.account.verified", account.id)).length, 1);
			const again = (await mailSaying(email, /Please confirm/)).code;
			is(await http(url, "/api/auth/verify-email", { body: { email, code: again } }), 400, "invalid-code");
		}
	});

	test("is what an admin writes into an account: it gets a code, and until then no other mail", async () => {
		const ana = await verified();
		is(await http(url, "/api/auth/forgot-password", { body: { email: ana.email } }), 202);
		const { code } = await mailSaying(ana.email, /Somebody asked for a new password/);
		const next = `next-${ana.email}`;
		const { body } = is(await admin.send("PATCH", look(ana), { email: next }), 200);
		assert.equal(body.state, "unverified");
		for (const email of [ana.email, next])
			is(await http(url, "/api/auth/reset-password", { body: { email, code, password: "four green bottles" } }), 400, "invalid-code");
		await withPasskey(ana);
		const proof = await mailSaying(next, /Please confirm that this address is yours/);
		assert.equal(
			is(await http(url, "/api/auth/verify-email", { body: { email: next, code: proof.code } }), 200).body.account.state,
			"active",
		);
		assert.deepEqual((await mailsTo(dataDir, next)).length, 1);
	});

	test("of a banned account that an admin changes is unproved after the ban, too", async () => {
		const ana = await verified();
		is(await admin.post(`${look(ana)}/ban`, { reason: "Rude." }), 200);
		assert.equal(is(await admin.send("PATCH", look(ana), { email: `next-${ana.email}` }), 200).body.state, "banned");
		assert.equal(is(await admin.post(`${look(ana)}/unban`), 200).body.state, "unverified");
	});
});

test("a new password is set with the mail that an admin has sent", async () => {
	const ana = await verified();
	is(await admin.post(`${look(ana)}/reset-password`), 200);
	const { token } = await mailSaying(ana.email, /has asked for a new password/);
	is(await http(url, "/api/auth/reset-password", { body: { token, password: "four green bottles" } }), 204);
	const body = { email: ana.email, password: "four green bottles" };
	assert.equal(is(await http(url, "/api/auth/login", { body }), 200).body.account.state, "active");
});

test("whose address was another's at the directory does not take the account with them", async () => {
	const [thief, email] = [randomUUID(), `${randomUUID()}@example.org`];
	const idToken = await clerk.token({ sub: thief, email, email_verified: false });
	const { account } = is(await http(url, "/api/auth/federated", { body: { provider: "clerk", idToken } }), 200).body;
	// The owner of the address takes the account by the mailbox.
	const { token } = await mailSaying(email, /Please confirm/);
	is(await http(url, "/api/auth/reset-password", { body: { token, password: "four green bottles" } }), 204);
	await clerkSays("user.updated", user(thief, `thief-${email}`));
	const [row] = await sql("select email from accounts where id = $1", [account.id]);
	assert.deepEqual(row, { email });
});
