// Presence at the realtime door: who is told of whom, and what the node is told of sockets.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { DoorReport } from "../../services/contracts/presence.ts";
import { eventually } from "../support/eventually.ts";
import { doorHouse } from "../support/socket-people.ts";

const { house, connect, groupOf } = await doorHouse();

test("presence: who is here, then what changes, only to those who asked, as members come and go", async () => {
	const { ana, ben, room, groupId } = await groupOf(2);
	assert.equal((await ana.refused("presence:subscribe", {})).status, 422);
	assert.equal((await ana.refused("presence:subscribe", { groupId, profileIds: [randomUUID()] })).status, 422);
	const { online } = (await ana.ok("presence:subscribe", { groupId })) as unknown as { online: { profileId: string }[] };
	assert.deepEqual(new Set(online.map(({ profileId }) => profileId)), new Set([ana.profileId, ben.profileId]));
	const carol = randomUUID();
	const say = (profileId: string) => house.change(profileId, "away");
	const heardBy = (someone: typeof ana) =>
		someone.heard
			.filter(([event]) => event === "signal")
			.map(([, payload]) =>
				(payload as { profiles: { profileId: string; status: string }[] }).profiles.map(
					({ profileId, status }) => `${profileId} ${status}`,
				),
			);
	await say(carol);
	await say(ben.profileId);
	await eventually(() => assert.deepEqual(heardBy(ana), [[`${ben.profileId} away`]]));
	house.bus.publish({
		room,
		events: [{ room, seq: 1, type: "member", at: "2026-01-01T00:00:00.000Z", by: null, action: "joined", profileId: carol }],
	});
	await eventually(() => assert.deepEqual(heardBy(ana).at(-1), [`${carol} online`]));
	await say(carol);
	await eventually(() => assert.deepEqual(heardBy(ana).at(-1), [`${carol} away`]));
	house.bus.evict(room, carol, "not-member", 1);
	await say(carol);
	house.bus.evict(room, ana.profileId, "not-member", 1);
	await say(ben.profileId);
	await ana.refused("nonsense");
	assert.equal(heardBy(ana).length, 3);
	assert.deepEqual(heardBy(ben), []);
	assert.deepEqual(await ana.ok("presence:set", { status: "hidden" }), {});
	assert.deepEqual((house.callsOf("presence.set").at(-1)?.params as { status: string } | undefined)?.status, "hidden");
});

test("presence: of a large group a sample is followed, with the counts; who joins it is not in the sample", async (t) => {
	const { ana, ben, room, groupId } = await groupOf(2);
	house.crowd.absent = 1_500;
	t.after(() => {
		house.crowd.absent = 0;
	});
	const { online, group } = await ana.ok("presence:subscribe", { groupId });
	assert.deepEqual(online, group.online);
	assert.deepEqual([group.memberCount, group.sample, group.counts], [1_502, true, { online: 2, away: 0, offline: 1_500 }]);
	const [followed] = online as { profileId: string }[];
	const other = followed?.profileId === ana.profileId ? ben.profileId : ana.profileId;
	const carol = randomUUID();
	house.bus.publish({
		room,
		events: [{ room, seq: 1, type: "member", at: "2026-01-01T00:00:00.000Z", by: null, action: "joined", profileId: carol }],
	});
	for (const profileId of [other, carol, followed?.profileId ?? ""]) await house.change(profileId, "away");
	await eventually(() =>
		assert.deepEqual(
			ana.heard
				.filter(([event]) => event === "signal")
				.map(([, signal]) => (signal as { profiles: { profileId: string }[] }).profiles[0]?.profileId),
			[followed?.profileId],
		),
	);
});

test("presence: what changes while the answer is under way is told after it", async () => {
	const { ana, ben, groupId } = await groupOf(2);
	house.before.set("presence.lookup", () => house.change(ben.profileId, "away"));
	await ana.ok("presence:subscribe", { groupId });
	await eventually(() =>
		assert.deepEqual(
			ana.heard.map(([event]) => event),
			["ack presence:subscribe", "signal"],
		),
	);
});

test("presence: of a change that comes late or is missing, the node is asked", async () => {
	const { ana, ben, groupId } = await groupOf(2);
	await ana.ok("presence:subscribe", { groupId });
	const statuses = () =>
		ana.heard
			.filter(([event]) => event === "signal")
			.map(([, payload]) => (payload as { profiles: { status: string }[] }).profiles[0]?.status);
	const first = house.reporting.told + 1;
	house.reporting.told += 2;
	await house.change(ben.profileId, "away", first + 1);
	await eventually(() => assert.deepEqual(statuses(), ["away"]));
	house.calls.length = 0;
	await house.change(ben.profileId, "offline", first);
	// The node of this house says of everybody that they are online.
	await eventually(() => assert.deepEqual(statuses(), ["away", "online"]));
	assert.equal(house.callsOf("presence.states").length, 1);
	await house.change(ben.profileId, "away");
	await eventually(() => assert.deepEqual(statuses(), ["away", "online", "away"]));
	house.reporting.told++;
	await eventually(() => assert.deepEqual(statuses(), ["away", "online", "away", "online"]));
});

test("presence: a block that begins while one follows the other makes both offline to each other, until it ends", async () => {
	const { people, groupId } = await groupOf(3);
	const [ana, ben, carol] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
	const seenBy = (someone: typeof ana) =>
		someone.heard
			.filter(([event]) => event === "signal")
			.flatMap(([, payload]) => (payload as { profiles: { profileId: string; status: string }[] }).profiles)
			.map(({ profileId, status }) => `${people.findIndex((one) => one.profileId === profileId)} ${status}`);
	for (const one of people) await one.ok("presence:subscribe", { groupId });
	const apart = (is: boolean) => {
		for (const [one, other] of [
			[ana, ben],
			[ben, ana],
		] as const)
			house.apart.set(one.profileId, is ? [other.profileId] : []);
		return house.broker.broadcast("groups.apart", { profileIds: [ana.profileId, ben.profileId], apart: is });
	};
	await apart(true);
	await eventually(() => assert.deepEqual(people.map(seenBy), [["1 offline"], ["0 offline"], []]));
	await house.change(ben.profileId, "away");
	await eventually(() => assert.deepEqual(people.map(seenBy), [["1 offline"], ["0 offline", "1 away"], ["1 away"]]));
	const { online } = await ben.ok("presence:subscribe", { profileIds: [ana.profileId, carol.profileId] });
	assert.deepEqual(
		online.map(({ profileId }: { profileId: string }) => profileId),
		[carol.profileId],
	);
	const late = await connect(ana.profileId);
	const again = await late.ok("presence:subscribe", { groupId });
	assert.deepEqual(
		new Set(again.online.map(({ profileId }: { profileId: string }) => profileId)),
		new Set([ana.profileId, carol.profileId]),
	);
	await apart(false);
	// The node of this house says of everybody that they are online.
	await eventually(() => {
		for (const one of [ana, late]) assert.ok(seenBy(one).includes("1 online"));
		assert.ok(seenBy(ben).includes("0 online"));
	});
});

test("presence: who was removed hears no more of the group, also where both the event and the word of it were lost", async () => {
	const { people, room, groupId } = await groupOf(3);
	const [ana, ben, carol] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
	for (const one of people) await one.ok("presence:subscribe", { groupId });
	const signals = (someone: typeof ana) => someone.heard.filter(([event]) => event === "signal").length;
	house.say(room, 1);
	house.rooms.get(room)?.members.delete(ben.profileId);
	house.store(room, 1);
	house.calls.length = 0;
	house.say(room, 1);
	await eventually(() =>
		assert.deepEqual(
			house.gateway.interest
				.followersOf(groupId)
				.map(({ profileId }) => profileId)
				.sort(),
			[ana, carol].map(({ profileId }) => profileId).sort(),
		),
	);
	assert.equal(house.callsOf("groups.memberIds").length, 1, "once for all who follow");
	await house.change(carol.profileId, "away");
	await house.change(ben.profileId, "away");
	await eventually(() => assert.equal(signals(ana), 1, "of carol alone"));
	assert.equal(signals(ben), 0);
	// The one who is asked as is out as well, and nothing came after it.
	house.rooms.get(room)?.members.delete(ana.profileId);
	house.store(room, 1);
	let failures = 1;
	house.before.set("groups.memberIds", () => {
		if (failures-- > 0) throw new Error("away");
	});
	house.gateway.interest.remind(groupId, 4);
	await eventually(() =>
		assert.deepEqual(
			house.gateway.interest.followersOf(groupId).map(({ profileId }) => profileId),
			[carol.profileId],
		),
	);
	// A large group: only those who follow or are followed are asked about.
	house.rooms.get(room)?.members.delete(carol.profileId);
	house.rooms.get(room)?.members.add(ana.profileId);
	house.crowd.absent = 1_500;
	house.gateway.interest.remind(groupId, 5);
	await eventually(() => assert.equal(house.gateway.interest.followersOf(groupId).length, 0));
	house.crowd.absent = 0;
});

test("presence is told which sockets are here, again until it has heard, and everything where it began anew", async () => {
	const reports = () => house.callsOf("presence.report").map(({ params }) => params as DoorReport);
	let failures = 2;
	const profileId = randomUUID();
	const isHers = (one: { profileId: string }) => one.profileId === profileId;
	let connectionId = "";
	house.before.set("presence.report", (ctx) => {
		const { opened, closed } = ctx.params as DoorReport;
		if ((opened.some(isHers) || closed.includes(connectionId)) && failures-- > 0) throw new Error("away");
	});
	const ana = await connect(profileId);
	await eventually(() => assert.ok(reports().filter(({ opened }) => opened.some(isHers)).length > 2));
	connectionId = reports()
		.flatMap(({ opened }) => opened)
		.find(isHers)?.connectionId as string;
	await eventually(() => assert.deepEqual(reports().at(-1)?.opened, [], "a sign of life"));
	assert.equal(reports().at(-1)?.begin, false);
	const count = reports().at(-1)?.count as number;

	house.reporting.known = false;
	await eventually(() => assert.ok(reports().some(({ begin, opened }) => begin && opened.some(isHers))));
	const whole = reports().findLast(({ begin }) => begin) as DoorReport;
	assert.deepEqual([whole.opened.length, whole.count], [count, count]);
	assert.ok(whole.opened.some(isHers));
	house.reporting.known = true;
	await eventually(() => assert.deepEqual([reports().at(-1)?.begin, reports().at(-1)?.opened], [false, []]));

	// What is looked at is said again with it, as the client said it last.
	const looked = () =>
		reports()
			.findLast(({ begin }) => begin)
			?.opened.find(isHers)?.looks;
	for (const [room, expected] of [
		["group:g", "group:g"],
		["group:h", "group:h"],
		["refused", "group:h"],
		[null, undefined],
	] as const) {
		if (room === "refused") {
			house.before.set("presence.focus", () => Promise.reject(new Error("away")));
			await ana.refused("focus", { room });
			house.before.delete("presence.focus");
		} else assert.deepEqual(await ana.ok("focus", { room }), {});
		const no = reports().at(-1)?.no ?? 0;
		house.reporting.known = false;
		await eventually(() => assert.ok(reports().some((report) => report.begin && report.no > no + 1)));
		house.reporting.known = true;
		assert.equal(looked(), expected);
	}
	await eventually(() => assert.equal(reports().at(-1)?.begin, false));

	failures = 2;
	ana.socket.close();
	await eventually(() => assert.ok(reports().filter(({ closed }) => closed.includes(connectionId)).length > 2));
	const numbers = reports().map(({ no }) => no);
	assert.deepEqual(
		numbers,
		numbers.toSorted((a, b) => a - b),
	);
});
