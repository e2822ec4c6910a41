// Pictures of groups.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { newId } from "../../mixins/id.ts";
import { database } from "../../mixins/postgres.ts";
import type { Person } from "../support/kit.ts";
import { is, person, testApp, told } from "../support/kit.ts";

const app = await testApp();

/** A picture that somebody has sent: here it is only asked whose it is. */
async function upload({ profileId, accountId }: Person): Promise<string> {
	const [id, digest, now] = [newId(), randomBytes(32), new Date()];
	await database("catalog").tx(async (tx) => {
		await tx.query("insert into files (digest, type, width, height, sizes, created_at) values ($1, 'image/webp', 1, 1, '{1,1,1}', $2)", [
			digest,
			now,
		]);
		await tx.query(
			"insert into uploads (id, owner_id, account_id, digest, bytes, created_at, unused_since) values ($1, $2, $3, $4, 3, $5, $5)",
			[...[id, profileId, accountId, digest, now]],
		);
	});
	return id;
}

test("a group has a picture: open where the group is, signed with an end where it is not; null takes it away", async () => {
	const [ana, eve] = await Promise.all([person(app.url, "Ana"), person(app.url, "Eve")]);
	const [first, second] = await Promise.all([upload(ana), upload(ana)]);
	const made = is(await ana.post("/api/groups", { name: "Menders", isPublic: true, avatar: first }), 201).body;
	assert.equal(made.avatar.id, first);
	assert.deepEqual(Object.keys(made.avatar.sizes), ["small", "medium", "large"]);
	assert.ok(!new URL(made.avatar.url).searchParams.has("until"), "open");
	const [listed] = (await eve.get("/api/groups/public")).body.data;
	assert.deepEqual(listed.avatar, made.avatar);
	assert.deepEqual((await eve.get(`/api/groups/${made.id}`)).body.avatar, made.avatar);

	const edit = (body: object) => ana.send("PATCH", `/api/groups/${made.id}`, body);
	assert.equal(is(await edit({ avatar: second, isPublic: false }), 200).body.avatar.id, second);
	const [mine] = (await ana.get("/api/groups")).body.data;
	assert.ok(new URL(mine.avatar.url).searchParams.has("until"), "for some hours");
	assert.equal(is(await edit({ name: "Menders of Porto" }), 200).body.avatar.id, second, "what is not said stays");
	assert.equal(is(await edit({ avatar: null }), 200).body.avatar, null);
	assert.equal((await ana.get(`/api/groups/${made.id}`)).body.avatar, null);
	assert.deepEqual(
		(await told("groups.group.created", made.id)).map(({ payload }) => payload.avatar),
		[first],
	);
	assert.deepEqual(
		(await told("groups.group.updated", made.id)).map(({ payload }) => payload.avatar),
		[second, second, null],
	);
});

test("a picture that is nobody's, or somebody else's, is none of a group's", async () => {
	const [ana, eve] = await Promise.all([person(app.url, "Ana"), person(app.url, "Eve")]);
	for (const avatar of [newId(), await upload(eve), "x"]) {
		const refused = is(await ana.post("/api/groups", { name: "Menders", isPublic: true, avatar }), 422, "validation");
		assert.equal(refused.body.errors[0].path, "avatar");
	}
});
