// The picture of a profile: one of one's own uploads, which everybody sees wherever the profile is shown.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { it } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { exported } from "../support/archive.ts";
import { callAction, eventually, http, is, person, testApp, told, turnClock } from "../support/kit.ts";
import { fetchPicture, filesKept, uploadOf } from "../support/pictures.ts";

const app = await testApp();
const { url } = app;
const usesOf = async (place: string) =>
	(await database("catalog").query<{ id: string }>("select upload_id as id from uses where kind = 'profile' and place = $1", [place])).map(
		({ id }) => id,
	);

it("an upload becomes the picture of a profile, and is shown with it everywhere", async () => {
	const ana = await person(url, "Ana");
	const ben = await person(url, "Ben");
	const id = await uploadOf(url, ana);
	const path = `/api/profiles/${ana.profileId}`;
	const { avatar } = is(await ana.send("PATCH", path, { avatar: id }), 200).body;
	assert.deepEqual([avatar.id, avatar.url], [id, avatar.sizes.large]);
	const login = await http(url, "/api/auth/login", { body: { email: ana.email, password: ana.password } });
	const me = (await ana.get("/api/auth/me")).body;
	const profiles = [
		(await ben.get(path)).body,
		(await ana.get("/api/profiles/me")).body,
		(await ana.get("/api/profiles")).body.data[0],
		(await ben.get("/api/profiles?q=ana")).body.data.find((one: { id: string }) => one.id === ana.profileId),
		login.body.profile,
		me.profile,
		me.profiles[0],
		(await ana.post("/api/auth/switch-profile", { profileId: ana.profileId })).body.profile,
		(await callAction(app.broker, "accounts.show", { email: ana.email })).profiles[0],
	];
	for (const profile of profiles) assert.deepEqual(profile.avatar, avatar);
	// Without a token, and at once.
	for (const size of ["small", "medium", "large"]) assert.equal((await fetchPicture(avatar.sizes[size])).status, 200);
	const [fact] = await told("identity.profile.updated", ana.accountId);
	assert.equal(fact?.payload.avatar, id);
	assert.equal((await exported(url, ana))["identity.json"].profiles[0].avatar, id);
});

it("nobody shows what is not theirs: of another account, unknown, no id at all", async () => {
	const [ana, ben] = [await person(url, "Ana"), await person(url, "Ben")];
	for (const avatar of [await uploadOf(url, ben), randomUUID(), "a.png", 7, ""]) {
		const { body } = is(await ana.send("PATCH", `/api/profiles/${ana.profileId}`, { avatar, bio: "Mends zips." }), 422, "validation");
		assert.equal(body.errors[0].path, "avatar");
	}
	assert.deepEqual((await ana.get("/api/profiles/me")).body, { id: ana.profileId, displayName: "Ana", kind: "consumer" });
});

it("what one sent as one profile is the picture of another of the same account", async () => {
	const ana = await person(url, "Ana");
	const { body: shop } = await ana.post("/api/profiles", { displayName: "Shop", kind: "organization" });
	const id = await uploadOf(url, ana);
	assert.equal(is(await ana.send("PATCH", `/api/profiles/${shop.id}`, { avatar: id }), 200).body.avatar.id, id);
});

it("null takes it away, and another takes its place; what no profile shows any more is deleted after a day", async () => {
	const ana = await person(url, "Ana");
	const path = `/api/profiles/${ana.profileId}`;
	const [first, second] = [await uploadOf(url, ana), await uploadOf(url, ana)];
	await ana.send("PATCH", path, { avatar: first });
	const links = (await ana.send("PATCH", path, { avatar: second })).body.avatar;
	await eventually(async () => assert.deepEqual(await usesOf(ana.profileId), [second]));
	const { body } = is(await ana.send("PATCH", path, { avatar: null }), 200);
	assert.equal("avatar" in body, false);
	await eventually(async () => assert.deepEqual(await usesOf(ana.profileId), []));
	assert.equal((await fetchPicture(links.url)).status, 200);
	const before = await filesKept(app.broker);
	turnClock(26 * 3_600_000);
	await eventually(async () => assert.ok((await filesKept(app.broker)) <= before - 6));
});
