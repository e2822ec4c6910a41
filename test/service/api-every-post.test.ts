// An Idempotency-Key on POSTs: asked again, the first answer; asked five times at once, one effect. That an action forgets to
// keep its answer is caught wherever a test asks it over HTTP (config/broker/contracts.ts): a new row needs no case here.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import type { Person } from "../support/kit.ts";
import { anyPicture, formOf } from "../support/pictures.ts";
import { groupOf, http, person, testApp } from "../support/kit.ts";

const app = await testApp();

interface Request {
	path: string;
	body?: unknown;
	by?: Person;
}
const someone = () => person(app.url, "Someone");
const inviteOf = async (): Promise<{ id: string; token: string; invitee: Person }> => {
	const [host, invitee] = await Promise.all([someone(), someone()]);
	const { body } = await host.post(`/api/groups/${await groupOf(host)}/invites`, { profileId: invitee.profileId });
	return { ...body, invitee };
};

/** Requests that succeed once; the same again without a key would be refused or done twice. */
const requests: Record<string, () => Promise<Request>> = {
	"/api/auth/register": async () => ({
		path: "/api/auth/register",
		body: { email: `${randomUUID()}@example.org`, password: "circular things", displayName: "Kim" },
	}),
	"/api/auth/login": async () => {
		const { email, password } = await someone();
		return { path: "/api/auth/login", body: { email, password } };
	},
	"/api/auth/token": async () => {
		const { email, password } = await someone();
		return { path: "/api/auth/token", body: { grant_type: "password", username: email, password } };
	},
	"/api/auth/refresh": async () => ({ path: "/api/auth/refresh", body: { refreshToken: (await someone()).refreshToken } }),
	"/api/auth/me/export": async () => ({ path: "/api/auth/me/export", by: await someone() }),
	"/api/auth/switch-profile": async () => {
		const by = await someone();
		const { body } = await by.post("/api/profiles", { displayName: "Shop", kind: "organization" });
		return { path: "/api/auth/switch-profile", by, body: { profileId: body.id } };
	},
	"/api/profiles": async () => ({ path: "/api/profiles", by: await someone(), body: { displayName: "Shop", kind: "organization" } }),
	"/api/uploads": async () => {
		const picture = await anyPicture();
		return { path: "/api/uploads", by: await someone(), body: formOf(picture) };
	},
	"/api/groups": async () => ({ path: "/api/groups", by: await someone(), body: { name: "Once", isPublic: true } }),
	"/api/groups/:groupId/join": async () => ({ path: `/api/groups/${await groupOf(await someone())}/join`, by: await someone() }),
	"/api/groups/:groupId/leave": async () => {
		const [host, guest] = await Promise.all([someone(), someone()]);
		return { path: `/api/groups/${await groupOf(host, guest)}/leave`, by: guest };
	},
	"/api/groups/:groupId/invites": async () => {
		const [host, guest] = await Promise.all([someone(), someone()]);
		return { path: `/api/groups/${await groupOf(host)}/invites`, by: host, body: { profileId: guest.profileId } };
	},
	"/api/groups/:groupId/messages": async () => {
		const host = await someone();
		return {
			path: `/api/groups/${await groupOf(host)}/messages`,
			by: host,
			body: { clientId: randomUUID(), kind: "text", content: "once" },
		};
	},
	"/api/invites/accept": async () => {
		const { token, invitee } = await inviteOf();
		return { path: "/api/invites/accept", by: invitee, body: { token } };
	},
	"/api/invites/decline": async () => {
		const { token, invitee } = await inviteOf();
		return { path: "/api/invites/decline", by: invitee, body: { token } };
	},
	"/api/invites/:inviteId/accept": async () => {
		const { id, invitee } = await inviteOf();
		return { path: `/api/invites/${id}/accept`, by: invitee };
	},
	"/api/invites/:inviteId/decline": async () => {
		const { id, invitee } = await inviteOf();
		return { path: `/api/invites/${id}/decline`, by: invitee };
	},
};

describe("an Idempotency-Key on a POST", () => {
	for (const [route, make] of Object.entries(requests)) {
		it(`${route} answers the first answer again`, async () => {
			const { path, body = {}, by } = await make();
			const ask = () => http(app.url, path, { method: "POST", body, token: by?.accessToken, headers: { "Idempotency-Key": key } });
			const key = randomUUID();
			const first = await ask();
			assert.ok(first.status < 300, `${first.status} ${JSON.stringify(first.body)}`);
			const second = await ask();
			assert.equal(second.status, first.status);
			assert.equal(JSON.stringify(second.body), JSON.stringify(first.body));
			assert.deepEqual([first.headers.get("idempotent-replayed"), second.headers.get("idempotent-replayed")], [null, "true"]);
		});

		it(`${route} five times at once is one`, async () => {
			const { path, body = {}, by } = await make();
			const headers = { "Idempotency-Key": randomUUID() };
			const replies = await Promise.all(
				Array.from({ length: 5 }, () => http(app.url, path, { method: "POST", body, token: by?.accessToken, headers })),
			);
			const good = replies.filter(({ status }) => status < 300);
			assert.ok(good.length > 0);
			assert.equal(new Set(good.map((reply) => JSON.stringify(reply.body))).size, 1);
			for (const reply of replies) assert.ok(reply.status < 300 || reply.body.code === "idempotency-running", JSON.stringify(reply.body));
		});
	}

	it("a refusal by state is repeated to the byte", async () => {
		const [host, guest] = await Promise.all([someone(), someone()]);
		const path = `/api/groups/${await groupOf(host)}/invites`;
		await host.post(path, { profileId: guest.profileId });
		const headers = { "Idempotency-Key": randomUUID() };
		const [first, second] = [
			await host.post(path, { profileId: guest.profileId }, headers),
			await host.post(path, { profileId: guest.profileId }, headers),
		];
		assert.deepEqual([first.status, first.body.code], [409, "already-invited"]);
		assert.equal(JSON.stringify(second.body), JSON.stringify(first.body));
		assert.deepEqual([first.headers.get("idempotent-replayed"), second.headers.get("idempotent-replayed")], [null, "true"]);
	});
});
