// Pictures of groups, and of the people in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../mixins/id.ts";
import { eventually, groupOf, is, person, testApp, told } from "../support/kit.ts";
import { fetchPicture, uploadOf } from "../support/pictures.ts";

const app = await testApp();

test("a group has a picture: open where the group is, signed with an end where it is not; null takes it away", async () => {
	const [ana, eve] = await Promise.all([person(app.url, "Ana"), person(app.url, "Eve")]);
	const [first, second] = await Promise.all([uploadOf(app.url, ana), uploadOf(app.url, ana)]);
	const made = is(await ana.post("/api/groups", { name: "Menders", isPublic: true, avatar: first }), 201).body;
	assert.equal(made.avatar.id, first);
	assert.deepEqual(Object.keys(made.avatar.sizes), ["small", "medium", "large"]);
	assert.ok(!new URL(made.avatar.url).searchParams.has("until"), "open");
	assert.equal((await fetchPicture(made.avatar.url)).status, 200);
	const [listed] = (await eve.get("/api/groups/public")).body.data;
	assert.deepEqual(listed.avatar, made.avatar);
	assert.deepEqual((await eve.get(`/api/groups/${made.id}`)).body.avatar, made.avatar);

	const edit = (body: object) => ana.send("PATCH", `/api/groups/${made.id}`, body);
	assert.equal(is(await edit({ avatar: second, isPublic: false }), 200).body.avatar.id, second);
	const [mine] = (await ana.get("/api/groups")).body.data;
	assert.ok(new URL(mine.avatar.url).searchParams.has("until"), "for some hours");
	assert.equal((await fetchPicture(mine.avatar.url)).status, 200);
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
	for (const avatar of [newId(), await uploadOf(app.url, eve), "x"]) {
		const refused = is(await ana.post("/api/groups", { name: "Menders", isPublic: true, avatar }), 422, "validation");
		assert.equal(refused.body.errors[0].path, "avatar");
	}
});

test("whoever sees a member, what they said or the other of a talk sees their avatar as it is now", async () => {
	const [ana, eve] = await Promise.all([person(app.url, "Ana"), person(app.url, "Eve")]);
	const groupId = await groupOf(ana, eve);
	const { seq } = is(await ana.post(`/api/groups/${groupId}/messages`, { clientId: "a", content: "Zips, anybody?" }), 201).body;
	const { id: talk } = is(await eve.get(`/api/direct/${ana.profileId}`), 200).body;
	const seen = async () => {
		const [members, page, one, found, open, list] = await Promise.all(
			[
				`groups/${groupId}/members`,
				`groups/${groupId}/messages`,
				`groups/${groupId}/messages/${seq}`,
				`groups/${groupId}/search?q=zips`,
				`direct/${ana.profileId}`,
				"groups",
			].map(async (path) => is(await eve.get(`/api/${path}`), 200).body),
		);
		return [
			members.data.find(({ profileId }: { profileId: string }) => profileId === ana.profileId),
			...[page.data[0].by, one.by, found.data[0].by, open.peer],
			list.data.find(({ id }: { id: string }) => id === talk).peer,
		].map(({ avatar }) => avatar);
	};
	assert.deepEqual(await seen(), Array(6).fill(undefined));
	const id = await uploadOf(app.url, ana);
	const { avatar } = is(await ana.send("PATCH", `/api/profiles/${ana.profileId}`, { avatar: id }), 200).body;
	await eventually(async () => assert.deepEqual(await seen(), Array(6).fill(avatar)));
	is(await ana.send("PATCH", `/api/profiles/${ana.profileId}`, { avatar: null }), 200);
	await eventually(async () => assert.deepEqual(await seen(), Array(6).fill(undefined)));
});
