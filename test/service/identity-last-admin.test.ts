// Somebody always administers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callAction } from "../../mixins/call.ts";
import { http, is, testApp } from "../support/kit.ts";
import { refusedWith } from "../support/identity-house.ts";

const { url, broker } = await testApp();

async function admin(email: string) {
	const { password, id } = await callAction(broker, "auth.create", { email });
	const { body } = is(await http(url, "/api/auth/login", { body: { email, password } }), 200);
	return { email, id, token: body.tokens.accessToken as string };
}

test("the last admin cannot be removed: not by an operator, and not by two who remove each other at once", async () => {
	const [one, two] = [await admin("one@example.org"), await admin("two@example.org")];
	const demote = (by: typeof one, whom: typeof one) =>
		http(url, `/api/admin/users/${whom.id}/role`, { method: "PUT", token: by.token, body: { role: "user" } });
	const replies = await Promise.all([demote(one, two), demote(two, one)]);
	assert.equal(replies.filter(({ status }) => status === 200).length, 1, JSON.stringify(replies.map(({ body }) => body)));
	const left = replies[0]?.status === 200 ? one : two;
	await refusedWith("last-admin", callAction(broker, "auth.setRole", { email: left.email, role: "moderator" }));
	await refusedWith("last-admin", callAction(broker, "users.operatorBan", { email: left.email, reason: "x" }));
	// Those who may not sign in do not count.
	const third = await admin("three@example.org");
	await callAction(broker, "users.operatorBan", { email: third.email, reason: "x" });
	await refusedWith("last-admin", callAction(broker, "auth.setRole", { email: left.email, role: "user" }));
	await callAction(broker, "users.operatorUnban", { email: third.email });
	await callAction(broker, "auth.setRole", { email: left.email, role: "user" });
});
