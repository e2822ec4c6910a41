// Presence as clients meet it, over HTTP and sockets: every device counts, who hides is not seen, blocks part people both ways.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { Socket } from "socket.io-client";
import type { Person } from "../support/kit.ts";
import { connect, eventually, groupOf, is, person, say, testApp } from "../support/kit.ts";

const app = await testApp();
const open = new Set<Socket>();
// Where it begins with an empty Redis, nobody is known for some seconds.
before(async () => {
	const ana = await person(app.url, "Ana");
	await eventually(async () => assert.deepEqual(await statuses(ana, ana), ["offline"]));
});
after(() => {
	for (const socket of open) socket.close();
});

const people = (...names: string[]) => Promise.all(names.map((name) => person(app.url, name)));
async function join(who: Person): Promise<Socket> {
	const socket = await connect(app.url, who.accessToken);
	open.add(socket);
	return socket;
}
interface Entry {
	profileId: string;
	status: string;
	lastSeen: string | null;
}
const look = async (who: Person, ...others: Person[]): Promise<Entry[]> =>
	is(await who.get(`/api/presence?ids=${others.map(({ profileId }) => profileId).join(",")}`), 200).body.data;
const statuses = async (who: Person, ...others: Person[]) => (await look(who, ...others)).map(({ status }) => status);
/** What a socket hears of somebody from now on. */
function heardOf(socket: Socket, who: Person): string[] {
	const heard: string[] = [];
	socket.on("signal", ({ type, profiles = [] }: { type: string; profiles?: Entry[] }) => {
		if (type === "presence") heard.push(...profiles.filter(({ profileId }) => profileId === who.profileId).map(({ status }) => status));
	});
	return heard;
}
const namedIn = (online: Entry[], ...who: Person[]) => who.map(({ profileId }) => online.some((entry) => entry.profileId === profileId));

test("a profile is online by any of its devices, away when it says so, offline with the time after the last one", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const watching = await join(ana);
	const { online } = await say(watching, "presence:subscribe", { profileIds: [ben.profileId, ana.profileId] });
	assert.deepEqual(online, [{ profileId: ana.profileId, status: "online", lastSeen: null }], "oneself included, the offline left out");
	const heard = heardOf(watching, ben);
	const [phone, laptop] = [await join(ben), await join(ben)];
	await eventually(() => assert.deepEqual(heard, ["online"]));
	phone.close();
	await say(laptop, "presence:set", { status: "away" });
	await eventually(() => assert.deepEqual(heard, ["online", "away"]));
	const stranger = randomUUID();
	assert.deepEqual(is(await ana.get(`/api/presence?ids=${stranger},${ben.profileId},${ana.profileId}`), 200).body.data, [
		{ profileId: stranger, status: "offline", lastSeen: null },
		{ profileId: ben.profileId, status: "away", lastSeen: null },
		{ profileId: ana.profileId, status: "online", lastSeen: null },
	]);
	const leftAt = Date.now();
	laptop.close();
	await eventually(() => assert.deepEqual(heard, ["online", "away", "offline"]));
	const [entry] = await look(ana, ben);
	assert.equal(entry?.status, "offline");
	assert.ok(Math.abs(Date.parse(entry?.lastSeen ?? "") - leftAt) < 5_000);
});

test("a link that flaps settles in one state, and is told as one change", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const watching = await join(ana);
	await say(watching, "presence:subscribe", { profileIds: [ben.profileId] });
	const heard = heardOf(watching, ben);
	for (let turn = 0; turn < 8; turn++) (await join(ben)).close();
	const last = await join(ben);
	await eventually(async () => assert.deepEqual([heard, await statuses(ana, ben)], [["online"], ["online"]]));
	last.close();
	await eventually(() => assert.deepEqual(heard, ["online", "offline"]));
});

test("who hides is offline with no time to everybody, in lists, counts and changes, and when they connect again", async () => {
	const [ana, ben] = (await people("Ana", "Ben")) as [Person, Person];
	const groupId = await groupOf(ana, ben);
	const [watching, bens] = [await join(ana), await join(ben)];
	await say(watching, "presence:subscribe", { groupId });
	const heard = heardOf(watching, ben);
	await say(bens, "presence:set", { status: "hidden" });
	await eventually(() => assert.deepEqual(heard, ["offline"]));
	bens.close();
	await join(ben);
	const again = await join(ben);
	assert.deepEqual(await look(ana, ben), [{ profileId: ben.profileId, status: "offline", lastSeen: null }]);
	const { online, counts } = is(await ana.get(`/api/groups/${groupId}/presence`), 200).body;
	assert.deepEqual([namedIn(online, ana, ben), counts], [[true, false], { online: 1, away: 0, offline: 1 }]);
	assert.deepEqual(heard, ["offline"]);
	await say(again, "presence:set", { status: "online" });
	await eventually(() => assert.deepEqual(heard, ["offline", "online"]));
});

test("a group's presence is its members', and changes reach those who asked, as long as they are members", async () => {
	const [ana, ben, eve] = (await people("Ana", "Ben", "Eve")) as [Person, Person, Person];
	const groupId = await groupOf(ana, ben);
	is(await eve.get(`/api/groups/${groupId}/presence`), 403, "not-member");
	const [anas, bens, eves] = [await join(ana), await join(ben), await join(eve)];
	await assert.rejects(say(eves, "presence:subscribe", { groupId }));
	await say(bens, "presence:subscribe", { groupId });
	const heard = heardOf(bens, ana);
	await say(anas, "presence:set", { status: "away" });
	await eventually(() => assert.deepEqual(heard, ["away"]));
	is(await ana.send("DELETE", `/api/groups/${groupId}/members/${ben.profileId}`), 204);
	const other = await join(eve);
	await say(other, "presence:subscribe", { profileIds: [ana.profileId] });
	const heardElsewhere = heardOf(other, ana);
	await say(anas, "presence:set", { status: "online" });
	await eventually(() => assert.deepEqual(heardElsewhere, ["online"]));
	assert.deepEqual(heard, ["away"], "he is out");
});

test("blocked either way, each is offline to the other from the block on, and as they are again when it ends", async () => {
	const [ana, ben, eve] = (await people("Ana", "Ben", "Eve")) as [Person, Person, Person];
	const groupId = await groupOf(ana, ben, eve);
	const [anas, bens, eves] = [await join(ana), await join(ben), await join(eve)];
	for (const socket of [anas, bens, eves]) await say(socket, "presence:subscribe", { groupId });
	const [seenByAna, seenByBen, seenByEve] = [heardOf(anas, ben), heardOf(bens, ana), heardOf(eves, ben)];
	is(await ben.send("PUT", `/api/blocks/${ana.profileId}`), 200);
	const unseen = ({ profileId }: Person) => ({ profileId, status: "offline", lastSeen: null });
	assert.deepEqual([await look(ana, ben), await look(ben, ana)], [[unseen(ben)], [unseen(ana)]]);
	await eventually(() => assert.deepEqual([seenByAna, seenByBen], [["offline"], ["offline"]]), 1_000);
	await say(bens, "presence:set", { status: "away" });
	await eventually(() => assert.deepEqual(seenByEve, ["away"]));
	const census = async (who: Person) => {
		const { online, counts } = is(await who.get(`/api/groups/${groupId}/presence`), 200).body;
		return [namedIn(online, ana, ben, eve), counts];
	};
	assert.deepEqual(await census(ana), [[true, false, true], { online: 2, away: 0, offline: 1 }]);
	assert.deepEqual(await census(ben), [[false, true, true], { online: 1, away: 1, offline: 1 }]);
	assert.deepEqual(await census(eve), [[true, true, true], { online: 2, away: 1, offline: 0 }]);
	// Whoever asks anew while it lasts is told the same.
	const { online } = await say(await join(ana), "presence:subscribe", { groupId });
	assert.deepEqual(namedIn(online, ana, ben, eve), [true, false, true]);
	assert.deepEqual((await say(anas, "presence:subscribe", { profileIds: [ben.profileId] })).online, []);
	is(await ben.send("DELETE", `/api/blocks/${ana.profileId}`), 204);
	await eventually(() =>
		assert.deepEqual(
			[seenByAna, seenByBen],
			[
				["offline", "away"],
				["offline", "online"],
			],
		),
	);
	assert.deepEqual([await statuses(ana, ben), await statuses(ben, ana)], [["away"], ["online"]]);
});
