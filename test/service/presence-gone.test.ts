// Who goes for good while it is written down when they were seen last: nothing of it stays, whichever comes first.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { bury, findSeen, saveSeen } from "../../services/presence/store/seen.ts";
import { eventually, testApp } from "../support/kit.ts";

await testApp();
const db = database("presence");
const seenNow = (profileId: string) => [{ profileId, lastSeen: new Date().toISOString(), hidden: false }];

/** Until somebody waits for a lock. */
const somebodyWaits = () =>
	eventually(async () => {
		const waiting = await db.query("select 1 from pg_stat_activity where wait_event_type = 'Lock' and usename = current_user");
		assert.ok(waiting.length > 0);
	});

test("who is buried while it is being written is not there afterwards", async () => {
	const profileId = randomUUID();
	let burying: Promise<void> | undefined;
	await db.tx(async (tx) => {
		await saveSeen(tx, seenNow(profileId));
		burying = db.tx((other) => bury(other, profileId, new Date().toISOString()));
		await somebodyWaits();
	});
	await burying;
	assert.equal((await findSeen(db, [profileId])).size, 0);
});

test("what is written while somebody is being buried is not there afterwards", async () => {
	const profileId = randomUUID();
	let saving: Promise<void> | undefined;
	await db.tx(async (tx) => {
		await bury(tx, profileId, new Date().toISOString());
		saving = saveSeen(db, seenNow(profileId));
		await somebodyWaits();
	});
	await saving;
	assert.equal((await findSeen(db, [profileId])).size, 0);
	await saveSeen(db, seenNow(profileId));
	assert.equal((await findSeen(db, [profileId])).size, 0);
});
