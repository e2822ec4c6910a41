// Who gets in at the realtime door.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { once, socketPeople } from "../support/socket-people.ts";

const at = await socketPeople({ RATE_LIMIT_FACTOR: "0.1" });
after(() => at.house.stop());

describe("a handshake", () => {
	test("without a token, or with one that is none, is refused with a problem", async () => {
		for (const [auth, code] of [
			[{}, "unauthenticated"],
			[{ token: null }, "unauthenticated"],
			[{ token: "nonsense" }, "invalid-token"],
			[{ token: 17 }, "invalid-token"],
			[{ token: { toString: "x" } }, "invalid-token"],
			[{ token: "x".repeat(20_000) }, "invalid-token"],
			[{ token: await at.issuer.token(randomUUID(), { expiresIn: -60 }) }, "invalid-token"],
		] as const) {
			const data = await at.refusal(auth);
			assert.deepEqual([data.status, data.code, data.type], [401, code, `urn:reloop:problem:${code}`]);
		}
	});

	test("from a page of another origin is refused, on both transports; known origins and none are let in", async () => {
		const token = await at.issuer.token(randomUUID());
		for (const transports of [["websocket"], ["polling"]]) {
			for (const origin of ["https://evil.example", "null", `${at.house.url}.evil.example`]) {
				const data = await at.refusal({ token }, { transports, extraHeaders: { origin } });
				assert.deepEqual([data.status, data.code], [403, "origin"]);
			}
		}
		for (const origin of ["https://reloop.example", "https://friend.example"]) {
			const socket = at.house.client({ token }, { extraHeaders: { origin } });
			await once(socket, "connect");
			socket.close();
		}
	});

	test("is refused where the profile has too many sockets already, and let in when one has gone", async () => {
		const profileId = randomUUID();
		const first = await at.connect(profileId);
		await at.connect(profileId);
		const data = await at.refusal({ token: await at.issuer.token(profileId) });
		assert.deepEqual([data.status, data.code], [429, "rate-limited"]);
		first.socket.close();
		await eventually(() => at.connect(profileId));
	});

	test("to another namespace is refused", async () => {
		const socket = at.house.client({ token: await at.issuer.token(randomUUID()) });
		const other = socket.io.socket("/admin");
		other.connect();
		const [error] = await once(other, "connect_error");
		assert.match(error.message, /Invalid namespace/);
		socket.close();
	});
});
