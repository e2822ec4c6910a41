// Members who are put out hear nothing more at the realtime door.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { doorHouse, seqsOf } from "../support/socket-people.ts";
import type { Wire } from "../support/socket-people.ts";

const { house, connect, groupOf } = await doorHouse();

test("an evicted member hears nothing more on any socket, and may not come back", async () => {
	const { ana, ben, room, groupId } = await groupOf(2);
	const phone = await connect(ben.profileId);
	for (const { ok } of [ana, ben, phone]) await ok("group:join", { groupId });
	house.say(room, 1);
	house.rooms.get(room)?.members.delete(ben.profileId);
	house.bus.evict(room, ben.profileId, "not-member", 2);
	house.say(room, 1);
	house.bus.signal(room, { type: "typing", groupId, profileId: ana.profileId });
	await eventually(() => assert.equal(ana.heard.filter(([event]) => event === "events").length, 2));
	for (const gone of [ben, phone]) {
		assert.equal((await gone.refused("group:join", { groupId, after: 0 })).code, "not-member");
		assert.equal((await gone.refused("typing", { groupId })).code, "not-member");
		assert.deepEqual(
			gone.heard.filter(([event]) => event === "events" || event === "signal").map(([, payload]) => seqsOf(payload)),
			[[1]],
		);
	}
});

test("an eviction while a join or a resume is under way refuses it", async () => {
	const { ben, room, groupId } = await groupOf(2);
	house.store(room, 3);
	const asked = Promise.withResolvers<void>();
	const go = Promise.withResolvers<void>();
	house.before.set("messages.openRoom", () => {
		asked.resolve();
		return go.promise;
	});
	const join = ben.refused("group:join", { groupId, after: 0 });
	const resume = ben.ok("resume", { rooms: { [room]: 0 } });
	await asked.promise;
	house.bus.evict(room, ben.profileId, "not-found", 4);
	go.resolve();
	assert.equal((await join).code, "not-found");
	house.rooms.get(room)?.members.delete(ben.profileId);
	const { rooms } = (await resume) as { rooms: Record<string, { error?: Wire }> };
	assert.equal(rooms[room]?.error?.status, 404);
	house.say(room, 1);
	assert.equal((await ben.refused("typing", { groupId })).code, "not-member");
	assert.deepEqual(
		ben.heard.filter(([event]) => event === "events"),
		[],
	);
});
