// What identity tells other nodes of its people, so that they are spoken to in their language, and mailed where they read it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { signIn } from "../support/access/callers.ts";
import { callAction, is, person, testApp, told } from "../support/kit.ts";
import { prove } from "../support/notifications.ts";

const app = await testApp();

test("a new language or time zone is told, by whomever it was set; what stays is not", async () => {
	const [ana, admin] = [await person(app.url, "Ana"), await person(app.url, "Admin")];
	await database("identity").query("update accounts set role = 'admin' where id = $1", [admin.accountId]);
	await signIn(app.url, admin);
	const patch = (body: object) => ana.send("PATCH", "/api/auth/me", body).then((reply) => is(reply, 200));
	await patch({ language: "ku" });
	await patch({ language: "ku", phone: "+351 123" });
	await patch({ timeZone: "Asia/Baghdad" });
	is(await admin.send("PATCH", `/api/admin/users/${ana.accountId}`, { language: "pt" }), 200);
	is(await admin.send("PATCH", `/api/admin/users/${ana.accountId}`, { phone: null }), 200);
	const facts = await told("identity.account.settingsChanged", ana.accountId);
	assert.deepEqual(
		facts.map(({ payload: { language, timeZone } }) => [language, timeZone]),
		[
			["ku", null],
			["ku", "Asia/Baghdad"],
			["pt", "Asia/Baghdad"],
		],
	);
});

test("mails go to an address that was proved, of an account that is open, and to no other", async () => {
	const ana = await person(app.url, "Ana");
	const contact = () => callAction(app.broker, "identity.contactOf", { profileId: ana.profileId });
	assert.deepEqual(await contact(), { email: null, language: null });
	await prove(ana);
	is(await ana.send("PATCH", "/api/auth/me", { language: "ar" }), 200);
	assert.deepEqual(await contact(), { email: ana.email, language: "ar" });
	for (const state of ["banned", "trashed", "unverified"]) {
		await database("identity").query("update accounts set state = $2 where id = $1", [ana.accountId, state]);
		assert.equal((await contact()).email, null, state);
	}
	assert.deepEqual(await callAction(app.broker, "identity.contactOf", { profileId: ana.accountId }), { email: null, language: null });
});
