// How a socket ends: its token, its session, the process.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { socketPeople } from "../support/socket-people.ts";

const at = await socketPeople({ RATE_LIMIT_FACTOR: "100000" });
after(() => at.house.stop());

describe("the end of a socket", () => {
	test("comes when its token expires", async () => {
		const ana = await at.connect(undefined, { expiresIn: 1 });
		await ana.ended;
		assert.deepEqual(ana.byes(), [{ reason: "expired" }]);
	});

	test("is put off by a newer token of the same profile, and by no other", async () => {
		const ana = await at.connect(undefined, { expiresIn: 2 });
		assert.equal((await ana.refused("token:refresh", { token: "nonsense" })).code, "invalid-token");
		assert.equal((await ana.refused("token:refresh", { token: await at.issuer.token(randomUUID()) })).code, "forbidden");
		const newer = await at.issuer.token(ana.profileId, { accountId: at.issuer.accountOf(ana.profileId), expiresIn: 600 });
		const { expiresIn } = await ana.ok("token:refresh", { token: newer });
		assert.ok((expiresIn as number) > 590 && (expiresIn as number) <= 600);
		const [link] = [...at.house.gateway.links].filter(({ id }) => id === ana.socket.id);
		assert.ok((link?.expiresAt ?? 0) > Date.now() + 590_000);
		const witness = await at.connect(undefined, { expiresIn: 2 });
		await witness.ended;
		assert.deepEqual([ana.socket.connected, ana.byes()], [true, []]);
	});

	test("comes within a second of its session's, also of one that came by refresh", async () => {
		const ana = await at.connect();
		const ben = await at.connect();
		const sessionId = randomUUID();
		await ben.ok("token:refresh", {
			token: await at.issuer.token(ben.profileId, { accountId: at.issuer.accountOf(ben.profileId), sessionId }),
		});
		const carol = await at.connect();
		for (const [person, session] of [
			[ana, ana.sessionId],
			[ben, sessionId],
		] as const) {
			at.issuer.revoke(session);
			const started = performance.now();
			const [reason] = await person.ended;
			assert.ok(performance.now() - started < 1_000);
			assert.equal(reason, "io server disconnect");
			assert.deepEqual(person.byes(), [{ reason: "revoked" }]);
		}
		assert.equal(carol.socket.connected, true);
		assert.equal((await at.refusal({ token: ana.token })).code, "invalid-token");
	});

	test("comes with a drain: what is under way is answered, a time to come back, a lost connection, nobody let in", async () => {
		const people = await Promise.all(Array.from({ length: 30 }, () => at.connect()));
		const ana = people[0] as (typeof people)[number];
		const groupId = randomUUID();
		at.house.room(groupId, ana.profileId);
		const go = Promise.withResolvers<void>();
		at.house.before.set("messages.post", () => go.promise);
		const sent = ana.ok("message:send", { groupId, clientId: "1", content: "last words" });
		await eventually(() => assert.equal(at.house.callsOf("messages.post").length, 1));
		ana.socket.once("bye", () => go.resolve());
		const gone = Promise.all(people.map(({ ended }) => ended));
		await at.house.drain();
		assert.equal((await sent).seq, 1);
		// Not "io server disconnect": after that a stock client would not come back by itself.
		for (const [reason] of await gone) assert.equal(reason, "transport close");
		for (const person of people) {
			const [bye] = person.byes() as { reason: string; reconnectAfterMs: number }[];
			assert.equal(bye?.reason, "drain");
			assert.ok((bye?.reconnectAfterMs ?? 0) >= 100 && (bye?.reconnectAfterMs ?? 0) <= 2_000);
		}
		const data = await at.refusal({ token: await at.issuer.token(randomUUID()) });
		assert.deepEqual([data.status, data.code], [503, "draining"]);
	});
});
