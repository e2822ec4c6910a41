// Tokens in use: rotation by two parties, and what a revoked or expired token does to an open socket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dataDirectory, startProcess } from "../../support/process.ts";
import { connect, eventually, http, person, testApp } from "../../support/kit.ts";

const app = await testApp();

/** What a socket was told before it was closed. */
async function farewell(url: string, token: string) {
	const socket = await connect(url, token);
	const heard: { bye?: { reason: string }; closed: boolean } = { closed: false };
	socket.on("bye", (bye) => {
		heard.bye = bye;
	});
	socket.on("disconnect", () => {
		heard.closed = true;
	});
	return { socket, heard };
}

test("a refresh token used by two parties ends the family: both lose it, and the open socket is closed", async () => {
	const ana = await person(app.url, "Ana");
	const { heard } = await farewell(app.url, ana.accessToken);
	const refresh = (refreshToken: string, agent: string) =>
		http(app.url, "/api/auth/refresh", { body: { refreshToken }, headers: { "User-Agent": agent } });
	const owner = await refresh(ana.refreshToken, "owner/1");
	assert.equal(owner.status, 200);
	const thief = await refresh(ana.refreshToken, "thief/1");
	assert.equal(thief.status, 401);
	assert.equal(thief.body.code, "invalid-token");
	const after = await refresh(owner.body.tokens.refreshToken, "owner/1");
	assert.equal(after.status, 401);
	await eventually(() => assert.deepEqual(heard, { bye: { reason: "revoked" }, closed: true }), 3_000);
	await eventually(
		async () => assert.equal((await http(app.url, "/api/auth/me", { token: owner.body.tokens.accessToken })).status, 401),
		3_000,
	);
});

test("a lost answer is forgiven: the same client gets the same successor", async () => {
	const ana = await person(app.url, "Ana");
	const refresh = () =>
		http(app.url, "/api/auth/refresh", { body: { refreshToken: ana.refreshToken }, headers: { "User-Agent": "phone/1" } });
	const [first, second] = [await refresh(), await refresh()];
	assert.equal(second.status, 200);
	assert.equal(second.body.tokens.refreshToken, first.body.tokens.refreshToken);
});

test("logout closes the session's socket and refuses its token", async () => {
	const ana = await person(app.url, "Ana");
	const { heard } = await farewell(app.url, ana.accessToken);
	assert.equal((await ana.post("/api/auth/logout")).status, 204);
	await eventually(() => assert.deepEqual(heard, { bye: { reason: "revoked" }, closed: true }), 3_000);
	assert.equal((await ana.get("/api/auth/me")).status, 401);
	await assert.rejects(connect(app.url, ana.accessToken), (error: Error & { problem: { status: number } }) => error.problem.status === 401);
});

test("a token that runs out closes its socket", async () => {
	const data = await dataDirectory();
	const running = await startProcess(data.path, { TTL_ACCESS: "2" });
	try {
		const ana = await person(running.url, "Ana");
		const { heard } = await farewell(running.url, ana.accessToken);
		await eventually(() => assert.deepEqual(heard, { bye: { reason: "expired" }, closed: true }), 15_000);
	} finally {
		await running.end();
		await data.remove();
	}
});
