// Somebody always administers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callAction } from "../../mixins/call.ts";
import { http, is, testApp } from "../support/kit.ts";

const { url, broker } = await testApp();

async function admin(email: string) {
	const { password, id } = await callAction(broker, "auth.create", { email });
	const { body } = is(await http(url, "/api/auth/login", { body: { email, password } }), 200);
	return { email, id, password, token: body.tokens.accessToken as string };
}

test("of two admins who remove each other at once one stays, whichever way they try; who may not sign in does not count", async () => {
	const banned = await admin("banned@example.org");
	await callAction(broker, "users.operatorBan", { email: banned.email, reason: "x" });
	const ways = [
		["PUT", "role", { role: "user" }],
		["POST", "ban", { reason: "coup" }],
		["POST", "trash", {}],
		["POST", "purge", {}],
	] as const;
	let one = await admin("first@example.org");
	for (const [method, way, body] of ways) {
		const two = await admin(`${way}@example.org`);
		const remove = (by: typeof one, whom: typeof one) => http(url, `/api/admin/users/${whom.id}/${way}`, { method, token: by.token, body });
		const replies = await Promise.all([remove(one, two), remove(two, one)]);
		const [did, didNot] = replies.map(({ status }) => status === 200);
		assert.notEqual(did, didNot, JSON.stringify(replies.map((reply) => reply.body)));
		one = did ? one : two;
	}
	is(await http(url, `/api/admin/users/${banned.id}`, { token: one.token }), 200);

	const erase = (by: typeof one) => http(url, "/api/auth/me", { method: "DELETE", token: by.token, body: { password: by.password } });
	is(await erase(one), 409, "last-admin");
	const two = await admin("next@example.org");
	const erased = await Promise.all([erase(one), erase(two)]);
	assert.deepEqual(erased.map(({ status }) => status).sort(), [202, 409]);
});
