// Sessions: listed, ended, and refused everywhere within a second.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { tokens } from "../../mixins/token/tokens.ts";
import { eventually } from "../support/eventually.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import { MINUTE, PASSWORD, identityHouse, refusedWith } from "../support/identity-house.ts";

const { broker, start, sql, facts, call, person, login, refresh } = await identityHouse();

describe("sessions", () => {
	test("are listed newest first, in pages, with the device and address they came from", async () => {
		const { email } = await person({ userAgent: "laptop/1", address: "192.0.2.1" });
		await login(email, PASSWORD, { userAgent: "phone/1" });
		const { tokens: here } = await login(email, PASSWORD, { userAgent: "tablet/1", address: "192.0.2.3" });
		const from = { token: here.accessToken };
		const first = await call("sessions.list", { limit: 2 }, from);
		assert.deepEqual(
			first.data.map(({ device, current }) => [device, current]),
			[
				["tablet/1", true],
				["phone/1", false],
			],
		);
		assert.equal(first.data[0]?.address, "192.0.2.3");
		const rest = await call("sessions.list", { limit: 2, cursor: first.nextCursor as string }, from);
		assert.deepEqual([rest.data.map(({ device }) => device), rest.nextCursor], [["laptop/1"], null]);
	});

	test("one's own can be ended, a stranger's is not found; its tokens are refused within a second", async () => {
		const { email, tokens: old } = await person();
		const { tokens: here } = await login(email);
		const stranger = await person();
		const sessionId = decodeJwt(old.accessToken).sid as string;
		await refusedWith("not-found", call("sessions.end", { sessionId }, { token: stranger.tokens.accessToken }));
		await call("sessions.end", { sessionId }, { token: here.accessToken });
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(old.accessToken)), 1_000);
		await refusedWith("invalid-token", refresh(old.refreshToken));
		await refusedWith("not-found", call("sessions.end", { sessionId }, { token: here.accessToken }));
		await call("auth.me", {}, { token: here.accessToken });
	});

	test("logout ends this one, with all=true every one of the account, each with a fact", async () => {
		const { email, account, tokens: one } = await person();
		const [two, three] = [await login(email), await login(email)];
		await call("auth.logout", {}, { token: one.accessToken });
		await eventually(() => refusedWith("invalid-token", tokens(broker).verify(one.accessToken)), 1_000);
		await tokens(broker).verify(two.tokens.accessToken);
		await call("auth.logout", { all: true }, { token: two.tokens.accessToken });
		for (const { tokens: gone } of [two, three]) {
			await eventually(() => refusedWith("invalid-token", tokens(broker).verify(gone.accessToken)), 1_000);
			await refusedWith("invalid-token", refresh(gone.refreshToken));
		}
		const told = (await facts(account.id)).filter(({ type }) => type === "identity.session.revoked");
		assert.deepEqual(
			told.map(({ payload }) => payload.reason),
			["logout", "logout", "logout"],
		);
	});

	test("a door that starts later, or missed the signal, refuses a revoked token too", async () => {
		const { tokens: made } = await person();
		await call("auth.logout", {}, { token: made.accessToken });
		const fresh = await start();
		try {
			await refusedWith("invalid-token", tokens(fresh).verify(made.accessToken));
			// Ended by another process: no signal comes, the door asks.
			const { tokens: quiet } = await person();
			await tokens(fresh).verify(quiet.accessToken);
			await sql("update sessions set ended_at = $2 where id = $1", [decodeJwt(quiet.accessToken).sid, new Date()]);
			await eventually(() => refusedWith("invalid-token", tokens(fresh).verify(quiet.accessToken)), 3_000);
		} finally {
			await fresh.stop();
		}
	});

	test("revocations are told as long as a token of theirs could live, or since a time", async () => {
		const { tokens: made } = await person();
		const sessionId = decodeJwt(made.accessToken).sid as string;
		stopClock();
		await call("auth.logout", {}, { token: made.accessToken });
		const told = async (since?: string) => {
			const { sessions: ended } = await call("identity.revocations", since ? { since } : {});
			return ended.some((one) => one.sessionId === sessionId);
		};
		const then = new Date(Date.now() + 1).toISOString();
		assert.deepEqual([await told(), await told(then)], [true, false]);
		turnClock(10 * MINUTE);
		assert.equal(await told(), true);
		turnClock(MINUTE);
		assert.equal(await told(), false);
	});
});
