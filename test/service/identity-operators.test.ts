// What operators do with accounts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { tokens } from "../../mixins/token/tokens.ts";
import { eventually } from "../support/eventually.ts";
import { DAY, identityHouse, newEmail, refusedWith } from "../support/identity-house.ts";

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
		const [entry] = (await call("audit.list", { target: account.id })).data;
		assert.deepEqual(
			[entry?.action, entry?.actor, entry?.before, entry?.after],
			["account.role", null, { role: "user" }, { role: "moderator" }],
		);
		await assert.rejects(sql("update audit set action = 'nothing' where target = $1", [account.id]), /kept as they are/);
		await assert.rejects(sql("delete from audit where target = $1", [account.id]), /kept as they are/);
		await refusedWith("not-found", call("auth.setRole", { email: newEmail(), role: "admin" }));
	});

	test("ban, and end the ban, by e-mail", async () => {
		const { email, tokens: old } = await person();
		const until = new Date(Date.now() + DAY).toISOString();
		const { state, ban } = await call("users.operatorBan", { email: ` ${email.toUpperCase()}`, reason: "spam", until });
		assert.deepEqual([state, ban?.reason, ban?.until, ban?.by], ["banned", "spam", until, null]);
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(old.accessToken)), 1_000);
		await refusedWith("banned", login(email));
		assert.equal((await call("users.operatorUnban", { email })).state, "unverified");
		await login(email);
		await refusedWith("not-found", call("users.operatorBan", { email: newEmail(), reason: "spam" }));
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
