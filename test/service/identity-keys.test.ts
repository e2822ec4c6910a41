// Signing keys and other secrets, as they are stored.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { database } from "../../mixins/postgres.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { PUBLISH_AHEAD_MS, SIGNS_DAYS } from "../../services/identity/domain/keys.ts";
import { identityNode } from "../../services/identity/node.ts";
import { Signing } from "../../services/identity/sign-in/signing.ts";
import { eventually } from "../support/eventually.ts";
import { DAY, PASSWORD, identityHouse, newAddress, refusedWith } from "../support/identity-house.ts";

const { broker, sql, call, person, login, refresh } = await identityHouse();

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
		const claims = { sub: "a", sid: "s", name: "Ana", profile: "p", profiles: [], roles: [], scope: "", auth_time: 0, acr: "1" };
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

	test("on demand: the next one signs in a moment; compromised ones are gone at once, for introspection and doors too", async () => {
		// The tests above have changed the keys behind its back.
		await identityNode(broker).signing.reread(new Date());
		const { tokens: old } = await person();
		const first = await call("identity.rotateKeys", {});
		assert.deepEqual(first.revoked, []);
		await eventually(async () => assert.equal(decodeProtectedHeader((await person()).tokens.accessToken).kid, first.kid), 5_000);
		await call("auth.me", {}, { token: old.accessToken });
		const second = await call("identity.rotateKeys", { now: true });
		assert.ok(second.revoked.includes(first.kid));
		assert.deepEqual(await kids(), [second.kid]);
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(old.accessToken)), 1_000);
		const { tokens: next } = await refresh(old.refreshToken);
		await call("auth.me", {}, { token: next.accessToken });
		const entries = await sql<{ action: string }>("select action from audit where target = any ($1) order by at", [
			[first.kid, second.kid],
		]);
		assert.deepEqual(entries.map(({ action }) => action).join(), "keys.rotate,keys.revoke");
	});

	test("many on demand at once leave one that signs, and every token of them good", async () => {
		await Promise.all(Array.from({ length: 4 }, () => call("identity.rotateKeys", { now: true })));
		assert.equal((await kids()).length, 1);
		const { tokens: made } = await person();
		await eventually(() => call("auth.me", {}, { token: made.accessToken }));
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
