// Looking after accounts, through the door.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import type { Person, Reply } from "../support/kit.ts";
import { connect, eventually, groupOf, http, is, person, testApp, told, turnClock } from "../support/kit.ts";
import { codeOf, softPasskey } from "../support/factors.ts";
import { mailTo } from "../support/mailbox.ts";
import { database } from "../../mixins/postgres.ts";
import { callAction } from "../../mixins/call.ts";
import { settings } from "../../mixins/settings.ts";
import type { AccountRole } from "../../services/contracts/scopes.ts";
import { keeperNames } from "../../services/contracts/index.ts";
import { signIn } from "../support/access/callers.ts";
import { ended } from "../support/archive.ts";

const app = await testApp();
const { url, broker } = app;
const HOUR = 3_600_000;

/** Somebody with a role, signed in with it. */
async function withRole(role: AccountRole, name: string = role): Promise<Person> {
	const somebody = await person(url, name);
	await callAction(broker, "auth.setRole", { email: somebody.email, role });
	return signIn(url, somebody);
}
const [admin, moderator] = await Promise.all([withRole("admin"), withRole("moderator")]);
const pathOf = ({ accountId }: Person) => `/api/admin/users/${accountId}`;
const login = ({ email, password }: Person) => http(url, "/api/auth/login", { body: { email, password } });
const auditOf = async (target: string) => (await admin.get(`/api/admin/audit?target=${target}`)).body.data;
/** Its token is refused, within a second. */
const out = (somebody: Person) => eventually(async () => assert.equal((await somebody.get("/api/auth/me")).status, 401), 1_000);

describe("the list of accounts", () => {
	test("is found by e-mail, display name or id, by state, role, kind and time, page by page, newest first", async () => {
		const word = randomUUID().slice(0, 8);
		const people: Person[] = [];
		for (const name of ["One", "Two", "Three"]) people.push(await person(url, `${name} ${word}`));
		const [one, two, three] = people as [Person, Person, Person];
		const found = async (query: string) =>
			is(await admin.get(`/api/admin/users?${query}`), 200).body.data.map(({ id }: { id: string }) => id);
		assert.deepEqual(await found(`q=${word}`), [three.accountId, two.accountId, one.accountId]);
		assert.deepEqual(await found(`q=${encodeURIComponent(two.email.toUpperCase())}`), [two.accountId]);
		assert.deepEqual(await found(`q=${one.accountId}`), [one.accountId]);
		assert.deepEqual(await found(`q=${one.profileId}`), [one.accountId]);
		assert.deepEqual(await found(`q=${encodeURIComponent("100%_")}`), []);
		is(await admin.post(`/api/admin/users/${two.accountId}/trash`), 200);
		assert.deepEqual(await found(`q=${word}&state=trashed`), [two.accountId]);
		assert.deepEqual(await found(`q=${word}&role=admin`), []);
		assert.deepEqual(await found(`q=${word}&kind=organization`), []);
		const since = is(await admin.get(pathOf(two)), 200).body.createdAt;
		assert.deepEqual(await found(`q=${word}&createdFrom=${since}`), [three.accountId, two.accountId]);
		assert.deepEqual(await found(`q=${word}&createdTo=${since}`), [one.accountId]);
		const first = (await admin.get(`/api/admin/users?q=${word}&limit=2`)).body;
		const rest = (await admin.get(`/api/admin/users?q=${word}&limit=2&cursor=${first.nextCursor}`)).body;
		assert.deepEqual([first.data.length, rest.data.length, rest.nextCursor], [2, 1, null]);
	});

	test("shows an account with its profiles, and nothing of its password", async () => {
		const ana = await person(url, "Ana");
		const { createdAt, updatedAt, ...shown } = is(await admin.get(pathOf(ana)), 200).body;
		assert.ok(createdAt && updatedAt);
		assert.deepEqual(shown, {
			id: ana.accountId,
			email: ana.email,
			state: "unverified",
			role: "user",
			phone: null,
			language: null,
			profiles: [{ id: ana.profileId, displayName: "Ana", kind: "consumer" }],
		});
		is(await admin.get(`/api/admin/users/${randomUUID()}`), 404, "not-found");
		is(await ana.get("/api/admin/users"), 403, "forbidden");
	});
});

describe("a ban", () => {
	test("ends open tokens and sockets within a second, says until when, and ends", async () => {
		const ana = await person(url, "Ana");
		const socket = await connect(url, ana.accessToken);
		const bye = new Promise((resolve) => socket.once("bye", resolve));
		const until = new Date(Date.now() + HOUR).toISOString();
		const { body } = is(await moderator.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "spam", until }), 200);
		assert.deepEqual([body.state, body.ban.reason, body.ban.until, body.ban.by], ["banned", "spam", until, moderator.accountId]);
		assert.deepEqual(await bye, { reason: "revoked" });
		await out(ana);
		const refused = is(await login(ana), 403, "banned");
		assert.equal(refused.body.until, until);
		const [fact] = await told("identity.account.banned", ana.accountId);
		assert.deepEqual(fact?.payload, { accountId: ana.accountId, profileIds: [ana.profileId], until });
		const { body: free } = is(await moderator.post(`/api/admin/users/${ana.accountId}/unban`), 200);
		assert.deepEqual([free.state, free.ban], ["unverified", undefined]);
		is(await login(ana), 200);
		is(await moderator.post(`/api/admin/users/${ana.accountId}/unban`), 409, "wrong-state");
		assert.equal((await told("identity.account.unbanned", ana.accountId)).length, 1);
	});

	test("again has another reason and end; one in the past is refused", async () => {
		const ana = await person(url, "Ana");
		is(await admin.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "one" }), 200);
		const { body } = is(await admin.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "two", until: null }), 200);
		assert.deepEqual([body.ban.reason, body.ban.until], ["two", null]);
		is(await admin.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "late", until: "2020-01-01T00:00:00.000Z" }), 422, "validation");
		assert.equal(is(await admin.post(`/api/admin/users/${ana.accountId}/unban`), 200).body.state, "unverified");
	});
});

describe("the trash", () => {
	test("closes an account, and gives it back as it was, a ban with it", async () => {
		const ana = await person(url, "Ana");
		is(await moderator.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "spam" }), 200);
		assert.equal(is(await moderator.post(`/api/admin/users/${ana.accountId}/trash`), 200).body.state, "trashed");
		is(await login(ana), 401, "invalid-credentials");
		is(await moderator.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "spam" }), 409, "wrong-state");
		const { body } = is(await moderator.post(`/api/admin/users/${ana.accountId}/restore`), 200);
		assert.deepEqual([body.state, body.ban.reason], ["banned", "spam"]);
		is(await moderator.post(`/api/admin/users/${ana.accountId}/restore`), 409, "wrong-state");
		assert.deepEqual(
			[(await told("identity.account.trashed", ana.accountId)).length, (await told("identity.account.restored", ana.accountId)).length],
			[1, 1],
		);
	});
});

describe("a purge", () => {
	test("removes the person: the e-mail is free, the profiles are nobody's, the audit says what was done and no more to whom", async () => {
		const ana = await person(url, "Ana");
		is(await admin.send("PATCH", pathOf(ana), { phone: "+351 910 000 000" }), 200);
		assert.equal((await auditOf(ana.accountId))[0].before.email, ana.email);
		is(await admin.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "Ana is rude" }), 200);
		assert.equal((await auditOf(ana.accountId))[0].after.reason, "Ana is rude");
		is(await moderator.post(`/api/admin/users/${ana.accountId}/purge`), 403, "forbidden");
		const { body } = is(await admin.post(`/api/admin/users/${ana.accountId}/purge`), 200);
		assert.deepEqual([body.state, body.email, body.phone], ["purged", null, null]);
		await out(ana);
		is(await login(ana), 401, "invalid-credentials");
		is(await login({ ...ana, email: `deleted:${ana.accountId}` }), 401, "invalid-credentials");
		is(await moderator.get(`/api/profiles/${ana.profileId}`), 404, "not-found");
		const { kind, result } = await ended(() => admin.get(`/api/jobs/${body.jobId}`));
		assert.deepEqual([kind, Object.keys(result.receipts).length], ["erase", keeperNames.length]);
		is(await moderator.get(`/api/jobs/${body.jobId}`), 404, "not-found");
		const again = is(
			await http(url, "/api/auth/register", { body: { email: ana.email, password: ana.password, displayName: "Ana" } }),
			201,
		);
		assert.notEqual(again.body.account.id, ana.accountId);
		const entries = await auditOf(ana.accountId);
		assert.deepEqual(
			entries.map(({ action }: { action: string }) => action),
			["account.purge", "account.ban", "account.change"],
		);
		assert.ok(!JSON.stringify(entries).includes(ana.email) && !/910 000|rude/.test(JSON.stringify(entries)));
		assert.equal((await callAction(broker, "audit.check", {})).ok, true);
		for (const action of ["restore", "ban", "trash", "purge", "reset-password"])
			is(await admin.post(`/api/admin/users/${ana.accountId}/${action}`, action === "ban" ? { reason: "x" } : {}), 409, "wrong-state");
		assert.equal((await told("identity.account.erased", ana.accountId)).length, 1);
	});
});

test("whoever registers the e-mail of somebody purged gets nothing of theirs, and the old ways in lead nowhere", async () => {
	const ana = await person(url, "Ana");
	const { secret } = is(await ana.post("/api/auth/mfa/totp"), 201).body;
	const { recoveryCodes } = is(await ana.post("/api/auth/mfa/totp/confirm", { code: codeOf(secret) }), 200).body;
	const passkey = softPasskey(new URL(url).origin);
	const options = is(await ana.post("/api/auth/mfa/passkeys/options"), 200).body;
	is(await ana.post("/api/auth/mfa/passkeys", { response: passkey.create(options), name: "Phone" }), 201);
	is(await ana.post("/api/profiles", { displayName: "Ana's shop", kind: "organization" }), 201);
	await groupOf(ana);
	const { ticket } = is(await login(ana), 200).body;
	const mailed = await mailTo(settings(broker).DATA_DIR, ana.email);
	await callAction(broker, "auth.setRole", { email: ana.email, role: "moderator" });
	is(await admin.post(`/api/admin/users/${ana.accountId}/purge`), 200);

	const { email, password } = ana;
	const made = is(await http(url, "/api/auth/register", { body: { email, password, displayName: "Another" } }), 201).body;
	const { account, profiles } = is(await http(url, "/api/auth/me", { token: made.tokens.accessToken }), 200).body;
	assert.deepEqual([account.state, account.role, account.mfa, profiles.length], ["unverified", "user", false, 1]);
	assert.ok(account.id !== ana.accountId && profiles[0].id !== ana.profileId);
	assert.deepEqual((await http(url, "/api/groups", { token: made.tokens.accessToken })).body.data, []);

	await out(ana);
	is(await http(url, "/api/auth/refresh", { body: { refreshToken: ana.refreshToken } }), 401, "invalid-token");
	for (const [method, code] of [
		["totp", codeOf(secret, 1)],
		["recovery", recoveryCodes[0]],
	])
		is(await http(url, "/api/auth/mfa/login", { body: { ticket, method, code } }), 401, "invalid-token");
	const response = passkey.get(is(await http(url, "/api/auth/passkeys/options", { body: {} }), 200).body);
	is(await http(url, "/api/auth/passkeys/login", { body: { response } }), 401, "invalid-credentials");
	for (const proof of [{ token: mailed.token }, { email, code: mailed.code }])
		is(await http(url, "/api/auth/verify-email", { body: proof }), 400, "invalid-code");
	is(await login(ana), 200);
});

describe("a role", () => {
	test("applies to open tokens and sockets within a second", async () => {
		const ana = await person(url, "Ana");
		const socket = await connect(url, ana.accessToken);
		const bye = new Promise((resolve) => socket.once("bye", resolve));
		assert.equal(
			is(await admin.send("PUT", `/api/admin/users/${ana.accountId}/role`, { role: "government" }), 200).body.role,
			"government",
		);
		assert.deepEqual(await bye, { reason: "revoked" });
		await out(ana);
		await signIn(url, ana);
		assert.deepEqual((await ana.get("/api/auth/validate")).body.roles, ["government", "consumer"]);
		const [fact] = await told("identity.account.roleChanged", ana.accountId);
		assert.equal(fact?.payload.role, "government");
	});

	test("is given by nobody who has less, and to nobody who is not below", async () => {
		const [ana, peer, boss] = await Promise.all([person(url, "Ana"), withRole("moderator", "Peer"), withRole("admin", "Boss")]);
		const give = (to: Person, role: string): Promise<Reply> => moderator.send("PUT", `/api/admin/users/${to.accountId}/role`, { role });
		is(await give(ana, "admin"), 403, "rank");
		is(await give(ana, "moderator"), 200);
		is(await give(ana, "user"), 403, "rank");
		is(await give(peer, "user"), 403, "rank");
		is(await give(boss, "user"), 403, "rank");
		is(await give(moderator, "user"), 403, "rank");
		for (const action of ["ban", "trash", "reset-password"])
			is(await moderator.post(`/api/admin/users/${boss.accountId}/${action}`, action === "ban" ? { reason: "coup" } : {}), 403, "rank");
		is(await moderator.send("PATCH", pathOf(boss), { email: "mine@example.org" }), 403, "rank");
		is(await moderator.send("DELETE", `/api/admin/users/${boss.accountId}/sessions`), 403, "rank");
	});

	test("nobody bans, demotes or removes themselves", async () => {
		is(await admin.send("PUT", `/api/admin/users/${admin.accountId}/role`, { role: "user" }), 403, "rank");
		for (const action of ["ban", "trash", "purge"])
			is(await admin.post(`/api/admin/users/${admin.accountId}/${action}`, action === "ban" ? { reason: "x" } : {}), 403, "rank");
	});

	test("that was taken away a moment ago permits nothing, whatever the token says", async () => {
		const [boss, ana] = await Promise.all([withRole("admin", "Boss"), person(url, "Ana")]);
		await database("identity").query("update accounts set role = 'user' where id = $1", [boss.accountId]);
		is(await boss.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "revenge" }), 403, "rank");
	});
});

describe("a password reset", () => {
	test("has the password changed: the old one opens nothing else", async () => {
		const ana = await person(url, "Ana");
		assert.equal(is(await moderator.post(`/api/admin/users/${ana.accountId}/reset-password`), 200).body.state, "mustChangePassword");
		await out(ana);
		await signIn(url, ana);
		is(await ana.get("/api/auth/me"), 200);
		is(await ana.get("/api/groups"), 403, "password-change-required");
		await assert.rejects(
			connect(url, ana.accessToken),
			(error: { problem: { code: string } }) => error.problem.code === "password-change-required",
		);
	});

	test("with a temporary password ends the old one, and shows it once", async () => {
		const ana = await person(url, "Ana");
		const { temporaryPassword } = is(
			await moderator.post(`/api/admin/users/${ana.accountId}/reset-password`, { temporary: true }),
			200,
		).body;
		is(await login(ana), 401, "invalid-credentials");
		is(await http(url, "/api/auth/login", { body: { email: ana.email, password: temporaryPassword } }), 200);
		assert.ok(!JSON.stringify(await auditOf(ana.accountId)).includes(temporaryPassword));
	});
});

describe("an account", () => {
	test("gets another e-mail, which is unverified, and no other's", async () => {
		const [ana, ben] = await Promise.all([person(url, "Ana"), person(url, "Ben")]);
		await database("identity").query("update accounts set state = 'active' where id = $1", [ana.accountId]);
		is(await admin.send("PATCH", pathOf(ana), { email: ben.email }), 409, "email-taken");
		const email = `  New-${randomUUID()}@Example.org`;
		const { body } = is(await admin.send("PATCH", pathOf(ana), { email, language: "pt" }), 200);
		assert.deepEqual([body.email, body.language, body.state], [email.trim().toLowerCase(), "pt", "unverified"]);
		is(await http(url, "/api/auth/login", { body: { email, password: ana.password } }), 200);
	});

	test("takes nothing that is not asked for: no role, state or password by the way", async () => {
		const ana = await person(url, "Ana");
		const more = { role: "admin", state: "active", passwordHash: "x", id: randomUUID(), bannedUntil: null, scopes: ["ops:read"] };
		const bodies: [string, string, Record<string, unknown>][] = [
			["PATCH", "", { language: "en" }],
			["POST", "/ban", { reason: "x" }],
			["POST", "/unban", {}],
			["POST", "/trash", {}],
			["POST", "/restore", {}],
			["POST", "/purge", {}],
			["POST", "/reset-password", {}],
			["PUT", "/role", { role: "viewer" }],
		];
		for (const [method, path, body] of bodies)
			for (const [name, value] of Object.entries(more)) {
				if (name in body) continue;
				is(await admin.send(method, `${pathOf(ana)}${path}`, { ...body, [name]: value }), 422, "validation");
			}
		is(await admin.post("/api/admin/users/bulk-status", { ids: [ana.accountId], state: "purged" }), 422, "validation");
		is(await admin.post("/api/admin/users/bulk-status", { ids: [ana.accountId], state: "trashed", role: "admin" }), 422, "validation");
		const { role, state } = (await admin.get(pathOf(ana))).body;
		assert.deepEqual([role, state], ["user", "unverified"]);
	});

	test("shows its sessions; one of them ends, or all", async () => {
		const ana = await person(url, "Ana");
		const { email, password } = ana;
		const headers = { "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0" };
		is(await http(url, "/api/auth/login", { body: { email, password }, headers }), 200);
		const [two, three] = [await signIn(url, { ...ana }), await signIn(url, { ...ana })];
		const { data } = is(await moderator.get(`/api/admin/users/${ana.accountId}/sessions`), 200).body;
		assert.deepEqual(
			data.map(({ device }: { device: string }) => device),
			["node", "node", "Firefox 131 on Windows", "node"],
		);
		is(await moderator.send("DELETE", `/api/admin/users/${ana.accountId}/sessions/${data[0].id}`), 204);
		await eventually(async () => assert.equal((await http(url, "/api/auth/me", { token: three.accessToken })).status, 401), 1_000);
		is(await moderator.send("DELETE", `/api/admin/users/${ana.accountId}/sessions/${data[0].id}`), 404, "not-found");
		is(await ana.get("/api/auth/me"), 200);
		is(await moderator.send("DELETE", `/api/admin/users/${ana.accountId}/sessions`), 204);
		await out(ana);
		await out(two);
	});

	test("many at once are put into a state; what is refused for one is no reason for the others", async () => {
		const people = await Promise.all(Array.from({ length: 25 }, (_, at) => person(url, `Bulk ${at}`)));
		const boss = await withRole("admin", "Boss");
		const ids = [...people.map(({ accountId }) => accountId), boss.accountId, people[0]?.accountId as string];
		const { body: job } = is(await moderator.post("/api/admin/users/bulk-status", { ids, state: "banned", reason: "raid" }), 202);
		assert.deepEqual([job.kind, job.state, job.done, job.total], ["users.bulk-status", "waiting", 0, 26]);
		const states = async () => (await Promise.all(people.map((one) => admin.get(pathOf(one))))).map(({ body }) => body.state);
		await eventually(async () => assert.deepEqual([...new Set(await states())], ["banned"]));
		const failed = [{ id: boss.accountId, code: "rank" }];
		const over = await ended(() => moderator.get(`/api/jobs/${job.id}`));
		assert.deepEqual([over.done, over.total, over.result], [26, 26, { failed }]);
		is(await (await person(url, "Eve")).get(`/api/jobs/${job.id}`), 404, "not-found");
		const [entry] = await auditOf(job.id);
		assert.deepEqual([entry?.actor, entry?.after], [moderator.accountId, { state: "banned", total: 26, failed }]);
		is(await moderator.post("/api/admin/users/bulk-status", { ids, state: "active" }), 202);
		await eventually(async () => assert.deepEqual([...new Set(await states())], ["unverified"]));
	});
});

describe("the name of an account's oldest profile", () => {
	test("is changed by whoever looks after accounts, as by its owner, and is in the audit", async () => {
		const ana = await person(url, "Ana");
		const second = is(await ana.post("/api/profiles", { displayName: "Ana's shop", kind: "organization" }), 201).body;
		const { body } = is(await moderator.send("PATCH", pathOf(ana), { displayName: "Somebody" }), 200);
		assert.deepEqual(
			body.profiles.map(({ displayName }: { displayName: string }) => displayName),
			["Somebody", "Ana's shop"],
		);
		assert.equal(is(await ana.get("/api/profiles/me"), 200).body.displayName, "Somebody");
		const [fact] = (await told("identity.profile.updated", ana.accountId)) as { payload: { profileId: string; displayName: string } }[];
		assert.deepEqual([fact?.payload.profileId, fact?.payload.displayName], [ana.profileId, "Somebody"]);
		const [entry] = await auditOf(ana.accountId);
		assert.deepEqual([entry.before.displayName, entry.after.displayName], ["Ana", "Somebody"]);
		is(await moderator.send("PATCH", pathOf(ana), { phone: null }), 200);
		assert.equal((await told("identity.profile.updated", ana.accountId)).length, 1);
		for (const displayName of ["", "x".repeat(61), null, 7])
			is(await moderator.send("PATCH", pathOf(ana), { displayName }), 422, "validation");
		is(await moderator.send("PATCH", pathOf(admin), { displayName: "Boss" }), 403, "rank");
		assert.notEqual(second.id, ana.profileId);
	});
});

describe("whoever has begun to change many accounts, and is erased meanwhile,", () => {
	test("changes no more of them, and what was left is told to those who stay", async () => {
		const people = await Promise.all(Array.from({ length: 26 }, (_, at) => person(url, `Bulk ${at}`)));
		const leaving = await withRole("admin", "Leaving");
		const ids = people.map(({ accountId }) => accountId);
		const gate = Promise.withResolvers<void>();
		const locked = Promise.withResolvers<void>();
		const holding = database("identity").tx(async (tx) => {
			await tx.query("select from accounts where id = $1 for update", [ids[22]]);
			locked.resolve();
			await gate.promise;
		});
		await locked.promise;
		const { body: job } = is(await leaving.post("/api/admin/users/bulk-status", { ids, state: "banned" }), 202);
		const look = async () => (await admin.get(`/api/jobs/${job.id}`)).body;
		await eventually(async () => assert.equal((await look()).done, 20));
		is(await leaving.send("DELETE", "/api/auth/me", { password: leaving.password }), 202);
		assert.equal((await look()).state, "running");
		gate.resolve();
		await holding;
		const over = await ended(() => admin.get(`/api/jobs/${job.id}`));
		assert.deepEqual(
			over.result.failed,
			ids.slice(22).map((id) => ({ id, code: "rank" })),
		);
		const [entry] = await auditOf(job.id);
		assert.deepEqual(entry?.after, { state: "banned", total: 26, failed: over.result.failed });
	});
});

describe("the registry", () => {
	test("says what each role and kind may", async () => {
		const { roles, scopes } = is(await admin.get("/api/admin/roles"), 200).body;
		const of = (name: string) => roles.find((role: { name: string }) => role.name === name)?.scopes;
		assert.deepEqual(of("user"), ["account:own"]);
		assert.ok(of("admin").includes("users:purge") && !of("moderator").includes("users:purge"));
		assert.deepEqual(of("organization"), ["store:write", "product:write"]);
		assert.ok(scopes.every(({ means }: { means: string }) => means.endsWith(".")));
		is(await moderator.get("/api/admin/roles"), 403, "forbidden");
	});
});

// Last: the clock is turned on for it, and what was counted by then is in the future afterwards.
describe("a ban that has an end", () => {
	test("is over by itself: at the login at once, and then for everybody", async () => {
		const ana = await person(url, "Ana");
		is(
			await moderator.post(`/api/admin/users/${ana.accountId}/ban`, { reason: "heat", until: new Date(Date.now() + HOUR).toISOString() }),
			200,
		);
		turnClock(HOUR + 1_000);
		const { body } = is(await login(ana), 200);
		assert.equal(body.account.state, "unverified");
		const boss = await signIn(url, { ...admin });
		const shown = is(await http(url, pathOf(ana), { token: boss.accessToken }), 200).body;
		assert.deepEqual([shown.state, shown.ban], ["unverified", undefined]);
		await eventually(async () => assert.equal((await told("identity.account.unbanned", ana.accountId)).length, 1));
		const [row] = await database("identity").query<{ state: string }>("select state from accounts where id = $1", [ana.accountId]);
		assert.equal(row?.state, "unverified");
	});
});
