// Signing keys that are changed while people are there: nobody notices, or, where a key is compromised, everything it has signed ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProtectedHeader } from "jose";
import { callAction } from "../../../mixins/call.ts";
import type { Person } from "../../support/kit.ts";
import { connect, eventually, http, is, person, testApp } from "../../support/kit.ts";

const app = await testApp();
const { url } = app;
const rotate = (now: boolean) => callAction(app.broker, "identity.rotateKeys", { now });
const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const published = async () => (await http(url, "/.well-known/jwks.json")).body.keys.map(({ kid }: { kid: string }) => kid);
const refreshed = async ({ refreshToken }: Pick<Person, "refreshToken">) =>
	is(await http(url, "/api/auth/refresh", { body: { refreshToken } }), 200).body.tokens;
const me = (token: string) => http(url, "/api/auth/me", { token });
const farewell = async (token: string) => {
	const heard: { bye?: { reason: string } } = {};
	(await connect(url, token)).on("bye", (bye) => {
		heard.bye = bye;
	});
	return heard;
};

test("another key is taken over by every door without a restart; tokens of the old one stay good, and so do sockets", async () => {
	const ana = await person(url, "Ana");
	const heard = await farewell(ana.accessToken);
	const { kid, revoked } = await rotate(false);
	assert.deepEqual(revoked, []);
	assert.notEqual(kidOf(ana.accessToken), kid);
	const ben = await eventually(async () => {
		const someone = await person(url, "Ben");
		// Good at once, whichever key has signed it.
		is(await me(someone.accessToken), 200);
		assert.equal(kidOf(someone.accessToken), kid);
		return someone;
	}, 10_000);
	(await connect(url, ben.accessToken)).close();
	is(await me(ana.accessToken), 200);
	assert.deepEqual(heard, {});
	const kids = await published();
	for (const one of [kid, kidOf(ana.accessToken)]) assert.ok(kids.includes(one));
});

test("a compromised key is trusted by no door from now on: its tokens are refused, its sockets closed, its sessions go on", async () => {
	const ana = await person(url, "Ana");
	const heard = await farewell(ana.accessToken);
	const { kid, revoked } = await rotate(true);
	assert.ok(revoked.includes(kidOf(ana.accessToken) as string));
	await eventually(async () => is(await me(ana.accessToken), 401, "invalid-token"), 3_000);
	await eventually(() => assert.deepEqual(heard.bye, { reason: "revoked" }), 3_000);
	await eventually(async () => assert.deepEqual(await published(), [kid]), 3_000);
	const next = await eventually(async () => {
		const tokens = await refreshed(ana);
		is(await me(tokens.accessToken), 200);
		return tokens;
	}, 5_000);
	assert.equal(kidOf(next.accessToken), kid);
	const { sessions } = await callAction(app.broker, "identity.revocations", {});
	for (const old of revoked)
		assert.ok(
			sessions.some(({ sessionId }) => sessionId === `kid:${old}`),
			"a door that starts now hears of it too",
		);
});
