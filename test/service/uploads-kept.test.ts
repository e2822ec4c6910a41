// What is kept of pictures, and for how long: as long as something shows them, and while they are their owner's.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { picture } from "../../mixins/pictures.ts";
import { database } from "../../mixins/postgres.ts";
import { MOST_UPLOADS } from "../../services/catalog/domain/picture.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import { sweep } from "../../services/catalog/pictures/sweep.ts";
import { exported } from "../support/archive.ts";
import { callAction, eventually, hear, is, person, testApp, turnClock } from "../support/kit.ts";
import { anyPicture, filesKept, piecesKept, sendFile, uploadOf } from "../support/pictures.ts";

const app = await testApp();
const { url, broker } = app;
const HOUR = 3_600_000;
const db = database("catalog");

// Before the clock is turned: with one that runs ahead they would spend what is allowed later.
const [ana, ben] = [await person(url, "Ana"), await person(url, "Ben")];

/** Whether it is shown to whoever has a link. */
async function isThere(id: string): Promise<boolean> {
	const signature = new URL(picture(broker, id, { open: true }, new Date()).url).searchParams.get("signature") ?? "";
	try {
		const { size } = await callAction(broker, "uploads.file", { uploadId: id, size: "large", signature });
		const { bytes } = await callAction(broker, "uploads.part", { uploadId: id, size: "large", signature, part: 0 });
		return Buffer.from(bytes, "base64").length === size;
	} catch (error) {
		if (isProblem(error, "not-found")) return false;
		throw error;
	}
}
const gone = (id: string) => eventually(async () => assert.equal(await isThere(id), false));
/** Later by so much; and what is swept then is swept. (The job that does it comes once for each hour, however often the clock is turned to it.) */
async function later(ms: number): Promise<void> {
	turnClock(ms);
	await sweep({ db, broker, at: new Date(), signal: new AbortController().signal });
}
const profileShows = (profileId: string, avatar: string | null) =>
	hear(broker, {
		type: "identity.profile.updated",
		aggregate: profileId,
		payload: { accountId: profileId, profileId, displayName: "Ana", kind: "consumer", bio: null, avatar },
	});

it("nodes are told what a picture is, if it is the owner's: a profile's, or an account's", async () => {
	const [one, other, bens] = [await uploadOf(url, ana), await uploadOf(url, ana), await uploadOf(url, ben)];
	const described = (id: string) => ({ id, type: "image/png", width: 200, height: 100 });
	for (const ownerId of [ana.profileId, ana.accountId]) {
		const { pictures } = await callAction(broker, "uploads.describe", { ids: [other, one, other], ownerId });
		assert.deepEqual(pictures, [other, one, other].map(described));
	}
	await assert.rejects(
		callAction(broker, "uploads.describe", { ids: [one, bens, randomUUID()], ownerId: ana.profileId }),
		({ type, data }) => {
			assert.partialDeepStrictEqual({ type, data }, { type: "validation", data: { errors: [{ path: "ids/1" }, { path: "ids/2" }] } });
			return true;
		},
	);
});

describe("a person", () => {
	it("finds in their export which pictures they have sent", async () => {
		const ana = await person(url, "Ana");
		const ids = [await uploadOf(url, ana), await uploadOf(url, ana)];
		await uploadOf(url, await person(url, "Ben"));
		const { uploads } = (await exported(url, ana))["catalog.json"];
		assert.deepEqual(
			uploads.map(({ id }: { id: string }) => id),
			ids,
		);
		assert.partialDeepStrictEqual(uploads[0], { profileId: ana.profileId, type: "image/png", width: 200, height: 100 });
	});

	it("who is erased takes their pictures along at once; the same picture of somebody else stays", async () => {
		const [ana, ben] = [await person(url, "Ana"), await person(url, "Ben")];
		const [own, shared] = [await anyPicture(), await anyPicture()];
		const kept = is(await sendFile(url, ben, shared), 201).body.id;
		const before = await filesKept(broker);
		const ids = [is(await sendFile(url, ana, own), 201).body.id, is(await sendFile(url, ana, shared), 201).body.id];
		await profileShows(ana.profileId, ids[0]);
		assert.equal(await filesKept(broker), before + 3);
		is(await ana.send("DELETE", "/api/auth/me", { password: ana.password }), 202);
		for (const id of ids) await gone(id);
		await eventually(async () => assert.equal(await filesKept(broker), before));
		assert.equal(await isThere(kept), true);
		assert.deepEqual(await db.query("select from uploads where account_id = $1", [ana.accountId]), []);
	});
});

describe("what one account may send", () => {
	it("is bounded: with as many pictures as it may keep, no other is taken", async () => {
		const ana = await person(url, "Ana");
		await uploadOf(url, ana);
		await db.query(
			`insert into uploads (id, owner_id, account_id, digest, created_at, unused_since)
			select gen_random_uuid(), owner_id, account_id, digest, created_at, null
			from uploads, generate_series(2, $2::integer) where account_id = $1`,
			[ana.accountId, MOST_UPLOADS],
		);
		is(await sendFile(url, ana, await anyPicture()), 409, "upload-limit");
		is(await sendFile(url, await person(url, "Ben"), await anyPicture()), 201);
	});
});

describe("a picture that nothing shows", () => {
	it("is deleted after a day, with its files; one that something shows stays", async () => {
		const [lost, used] = [await uploadOf(url, ana), await uploadOf(url, ana)];
		await profileShows(randomUUID(), used);
		const before = await filesKept(broker);
		await sweep({ db, broker, at: new Date(Date.now() + 23 * HOUR), signal: new AbortController().signal });
		assert.equal(await isThere(lost), true);
		// In one turn: by the job that comes every hour.
		turnClock(25 * HOUR);
		await gone(lost);
		// Those of the tests before this one go, too.
		await eventually(async () => assert.ok((await filesKept(broker)) <= before - 3));
		assert.equal(await isThere(used), true);
	});

	it("begins to be so when the last place lets it go, and ends to be when one takes it up", async () => {
		const id = await uploadOf(url, ana);
		const [one, other, group] = [randomUUID(), randomUUID(), randomUUID()];
		await profileShows(one, id);
		await profileShows(other, id);
		await hear(broker, {
			type: "groups.message.posted",
			aggregate: group,
			payload: { groupId: group, seq: 2, messageId: randomUUID(), senderId: one, kind: "text", content: "look", attachments: [id] },
			// The attachments come with the messages that have them.
		} as never);
		await profileShows(one, null);
		await hear(broker, {
			type: "identity.profile.deleted",
			aggregate: other,
			payload: { accountId: other, profileId: other, kind: "consumer" },
		});
		await later(25 * HOUR);
		assert.equal(await isThere(id), true);
		await hear(broker, { type: "groups.group.deleted", aggregate: group, payload: { groupId: group } });
		await later(23 * HOUR);
		await profileShows(one, id);
		await later(25 * HOUR);
		assert.equal(await isThere(id), true);
		await profileShows(one, null);
		await later(25 * HOUR);
		await gone(id);
	});

	it("stays for another day when a node asks what it is: it is about to be shown", async () => {
		const id = await uploadOf(url, ana);
		await later(23 * HOUR);
		await callAction(broker, "uploads.describe", { ids: [id], ownerId: ana.profileId });
		await later(23 * HOUR);
		assert.equal(await isThere(id), true);
	});

	it("takes its files with it only when nobody else has sent the same", async () => {
		const bytes = await anyPicture();
		const lost = is(await sendFile(url, ana, bytes), 201).body.id;
		const used = is(await sendFile(url, ben, bytes), 201).body.id;
		await profileShows(ben.profileId, used);
		await later(25 * HOUR);
		await gone(lost);
		assert.equal(await isThere(used), true);
	});
});

it("an upload that never ended leaves nothing after an hour", async () => {
	await db.query("insert into pieces (staged, no, account_id, bytes, at) values ($1, 0, $2, 'x', $3)", [
		randomUUID(),
		ana.accountId,
		new Date(),
	]);
	await later(1.1 * HOUR);
	await piecesKept(0);
});
