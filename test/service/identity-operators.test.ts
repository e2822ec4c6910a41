// What operators do with accounts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { tokens } from "../../mixins/token/tokens.ts";
import { eventually } from "../support/eventually.ts";
import { identityHouse, newEmail, refusedWith } from "../support/identity-house.ts";

const { broker, sql, call, person, login } = await identityHouse();

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
