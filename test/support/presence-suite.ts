// What every keeper of presence must do the same: in memory where there is one process, in Redis where there are several.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import { presenceNode } from "../../services/presence/node.ts";
import { block, unblock } from "../../services/presence/store/people.ts";
import { eventually } from "./eventually.ts";
import type { PresenceHouse } from "./presence-house.ts";
import { testDoor } from "./presence-house.ts";

/**
 * @param houses the processes that run now, at least one
 * @param restart ends them, and starts as many anew
 */
export function presenceSuite(title: string, houses: () => readonly PresenceHouse[], restart: () => Promise<void>): void {
	const first = (): PresenceHouse => houses()[0] as PresenceHouse;
	const last = (): PresenceHouse => houses().at(-1) as PresenceHouse;
	const changesOf = (id: string) =>
		houses()
			.flatMap(({ signals }) => signals)
			.sort((a, b) => a.number - b.number)
			.flatMap(({ profiles }) => profiles.filter(({ profileId }) => profileId === id));
	const statuses = (id: string) => changesOf(id).map(({ status }) => status);

	describe(title, () => {
		test("answers in the order asked; people who come and go are told once each, and remembered", async () => {
			const door = await testDoor(houses);
			const [ana, ben] = [randomUUID(), randomUUID()];
			const phone = await door.open(ana);
			assert.deepEqual(await last().lookup(ben, ana, ben), [
				{ profileId: ben, status: "offline", lastSeen: null },
				{ profileId: ana, status: "online", lastSeen: null },
				{ profileId: ben, status: "offline", lastSeen: null },
			]);
			const laptop = await door.open(ana);
			await door.close(phone);
			await eventually(() => assert.deepEqual(statuses(ana), ["online"]));
			await door.close(laptop);
			assert.equal(await first().statusOf(ana), "online", "within the grace");
			const [entry] = await eventually(async () => {
				const entries = await last().lookup(ana);
				assert.equal(entries[0]?.status, "offline");
				assert.ok(entries[0]?.lastSeen);
				return entries;
			});
			await eventually(() => assert.deepEqual(changesOf(ana), [{ profileId: ana, status: "online", lastSeen: null }, entry]));
		});

		test("who comes back within the grace was never away; who says away is away until the last socket has gone", async () => {
			const [door, other] = [await testDoor(houses), await testDoor(houses)];
			const ana = randomUUID();
			let socket = await door.open(ana);
			await eventually(() => assert.deepEqual(statuses(ana), ["online"]));
			for (let turn = 0; turn < 5; turn++) {
				await door.close(socket);
				socket = await door.open(ana);
			}
			await first().set(socket, ana, "away");
			await eventually(() => assert.deepEqual(statuses(ana), ["online", "away"]));
			const second = await other.open(ana);
			await door.close(socket);
			assert.equal(await last().statusOf(ana), "away");
			await other.close(second);
			await eventually(() => assert.deepEqual(statuses(ana), ["online", "away", "offline"]));
			// At once, while it is still being told that she went.
			await other.open(ana);
			await eventually(() => assert.deepEqual(statuses(ana), ["online", "away", "offline", "online"]));
		});

		test("who hides is offline with no time, also after a restart", async () => {
			const ana = randomUUID();
			const before = await testDoor(houses);
			const socket = await before.open(ana);
			await first().set(socket, ana, "hidden");
			await assert.rejects(first().set(socket, randomUUID(), "online"), (error) => isProblem(error, "not-found"));
			await assert.rejects(first().set("another", ana, "online"), (error) => isProblem(error, "not-found"));
			assert.deepEqual(await last().lookup(ana), [{ profileId: ana, status: "offline", lastSeen: null }]);
			// Somebody may have asked before, and has to hear it.
			await eventually(() => assert.equal(statuses(ana).at(-1), "offline"));
			await before.close(socket);
			await restart();
			assert.deepEqual(await last().lookup(ana), [{ profileId: ana, status: "offline", lastSeen: null }]);
			const door = await testDoor(houses);
			const again = await door.open(ana);
			assert.equal(await last().statusOf(ana), "offline");
			await first().set(again, ana, "online");
			assert.equal(await last().statusOf(ana), "online");
			await eventually(() => assert.deepEqual(statuses(ana), ["online"]));
		});

		test("what is looked at is known on every process, by socket, until it closes, or its profile is away", async () => {
			const door = await testDoor(houses);
			const [ana, ben] = [randomUUID(), randomUUID()];
			const [phone, laptop] = [await door.open(ana), await door.open(ana)];
			const [room, other] = [`group:${randomUUID()}`, `group:${randomUUID()}`];
			const looking = () => last().looking(...[room, other].flatMap((name) => [ana, ben].map((profileId) => ({ profileId, room: name }))));
			await first().focus(phone, ana, room);
			assert.deepEqual(await looking(), [true, false, false, false]);
			await first().focus(laptop, ana, other);
			assert.deepEqual(await looking(), [true, false, true, false]);
			await last().set(phone, ana, "away");
			assert.deepEqual(await looking(), [false, false, false, false]);
			await last().set(phone, ana, "online");
			await door.close(phone);
			assert.deepEqual(await looking(), [false, false, true, false]);
			await first().focus(laptop, ana, null);
			assert.deepEqual(await looking(), [false, false, false, false]);
			await assert.rejects(first().focus(phone, ana, room), (error) => isProblem(error, "not-found"));
			await assert.rejects(first().focus(laptop, ben, room), (error) => isProblem(error, "not-found"));
		});

		test("of a small group every member that is here is named, of a large one a sample; both are counted", async () => {
			const door = await testDoor(houses);
			const people: string[] = Array.from({ length: 4 }, () => randomUUID());
			const [ana, ben, carol, dora] = people as [string, string, string, string];
			const sockets = new Map<string, string>();
			for (const id of people) sockets.set(id, await door.open(id));
			const say = (id: string, status: "away" | "hidden") => last().set(sockets.get(id) as string, id, status);
			await Promise.all([say(ben, "away"), say(carol, "hidden"), testDoor(houses).then((other) => other.open(randomUUID()))]);
			const small = randomUUID();
			const large = randomUUID();
			const crowd = Array.from({ length: 1_500 }, () => randomUUID());
			for (const { groups } of houses()) {
				groups.set(small, [...people, ...crowd.slice(0, 10)]);
				groups.set(large, [...crowd, ...people]);
			}
			const here = [
				{ profileId: ana, status: "online", lastSeen: null },
				{ profileId: ben, status: "away", lastSeen: null },
				{ profileId: dora, status: "online", lastSeen: null },
			];
			const counts = { online: 2, away: 1, offline: 11 };
			assert.deepEqual(await last().group(small, ana), { groupId: small, memberCount: 14, sample: false, counts, online: here });
			const seen = await first().group(large, dora);
			assert.deepEqual(seen.counts, { ...counts, offline: 1_501 });
			assert.deepEqual([seen.memberCount, seen.sample], [1_504, true]);
			assert.equal(seen.online[0]?.profileId, dora, "oneself first");
			assert.deepEqual(new Set(seen.online.map(({ profileId }) => profileId)), new Set([ana, ben, dora]));
			await assert.rejects(first().group(randomUUID(), ana));
		});

		test("who is apart by a block is offline with no time, either way, one by one, in a small group and in a large one", async () => {
			const door = await testDoor(houses);
			const people: string[] = Array.from({ length: 4 }, () => randomUUID());
			const [ana, ben, carol, dora] = people as [string, string, string, string];
			const sockets = new Map<string, string>();
			for (const id of [ana, ben, carol]) sockets.set(id, await door.open(id));
			await last().set(sockets.get(ben) as string, ben, "away");
			const seen = await door.open(dora);
			await door.close(seen);
			await eventually(async () => assert.ok((await last().lookup(dora))[0]?.lastSeen));
			const [small, large] = [randomUUID(), randomUUID()];
			for (const { groups, blocks } of houses()) {
				groups.set(small, people);
				groups.set(large, [...Array.from({ length: 1_500 }, () => randomUUID()), ...people]);
				blocks.apart.set(ana, [ben, dora]).set(ben, [ana]).set(dora, [ana]);
			}
			for (const house of houses()) {
				const unseen = (profileId: string) => ({ profileId, status: "offline", lastSeen: null });
				assert.deepEqual(await house.lookupAs(ana, ben, carol, dora), [
					unseen(ben),
					{ profileId: carol, status: "online", lastSeen: null },
					unseen(dora),
				]);
				assert.deepEqual(await house.lookupAs(ben, ana), [unseen(ana)]);
				assert.ok((await house.lookupAs(carol, dora))[0]?.lastSeen);
				assert.deepEqual((await house.group(small, ana)).counts, { online: 2, away: 0, offline: 2 });
				assert.deepEqual((await house.group(small, carol)).counts, { online: 2, away: 1, offline: 1 });
				const crowd = await house.group(large, ana);
				assert.deepEqual(crowd.counts, { online: 2, away: 0, offline: 1_502 });
				assert.deepEqual(new Set(crowd.online.map(({ profileId }) => profileId)), new Set([ana, carol]));
				assert.deepEqual((await house.group(large, carol)).counts, { online: 2, away: 1, offline: 1_501 });
			}
			for (const { blocks } of houses()) blocks.apart.clear();
			assert.deepEqual(
				(await last().lookupAs(ana, ben)).map(({ status }) => status),
				["away"],
			);
		});

		test("while groups are away, who is apart is known by what their facts have said", async () => {
			const door = await testDoor(houses);
			const [ana, ben] = [randomUUID(), randomUUID()];
			for (const id of [ana, ben]) await door.open(id);
			const { db } = presenceNode(first().broker);
			await block(db, ben, ana);
			for (const { blocks } of houses()) blocks.away = true;
			for (const house of houses())
				for (const [one, other] of [
					[ana, ben],
					[ben, ana],
				] as const)
					assert.equal((await house.lookupAs(one, other))[0]?.status, "offline");
			await unblock(db, ben, ana);
			assert.equal((await last().lookupAs(ana, ben))[0]?.status, "online");
			for (const { blocks } of houses()) blocks.away = false;
		});

		test("a crowd is gone through in portions, and counted once for everybody who asks within a few seconds", async () => {
			const crowd: string[] = Array.from({ length: 1_200 }, () => randomUUID());
			const door = await testDoor(houses);
			for (let from = 0; from < crowd.length; from += 400) {
				const opened = crowd.slice(from, from + 400).map((profileId) => ({ connectionId: `${door.instance}|${profileId}`, profileId }));
				for (const { connectionId, profileId } of opened) door.sockets.set(connectionId, profileId);
				assert.equal((await door.report({ opened })).known, true);
			}
			const groupId = randomUUID();
			for (const { groups } of houses()) groups.set(groupId, crowd);
			const questions = () => houses().flatMap(({ asked }) => asked).length;
			const before = questions();
			const [me = "", other = ""] = crowd;
			const censuses = await Promise.all([first().group(groupId, me), first().group(groupId, other)]);
			const once = questions() - before;
			assert.ok(once >= 3, `${once} portions`);
			for (const { counts, online } of censuses) {
				assert.deepEqual(counts, { online: 1_200, away: 0, offline: 0 });
				assert.equal(online.length, 100);
			}
			await last().group(groupId, me);
			assert.equal(questions() - before, once);
		});

		test("who was seen when a process ended is remembered", async () => {
			const ana = randomUUID();
			const door = await testDoor(houses);
			await door.close(await door.open(ana));
			await restart();
			const [entry] = await eventually(async () => {
				const entries = await last().lookup(ana);
				assert.equal(entries[0]?.status, "offline");
				return entries;
			});
			assert.ok(entry?.lastSeen);
		});

		test("a door that is not known is asked to begin anew; what it says then is all there is of it", async () => {
			const door = await testDoor(houses, { begins: false });
			const [ana, ben] = [randomUUID(), randomUUID()];
			door.sockets.set("a", ana);
			assert.equal((await door.report({ opened: [{ connectionId: "a", profileId: ana }] })).known, false);
			assert.equal(await first().statusOf(ana), "offline");
			assert.equal((await door.begin()).known, true);
			assert.equal(await last().statusOf(ana), "online");
			door.sockets.clear();
			door.sockets.set("b", ben);
			assert.equal((await door.begin()).known, true);
			await eventually(async () => assert.deepEqual([await first().statusOf(ana), await last().statusOf(ben)], ["offline", "online"]));
		});

		test("a door that begins anew says what is looked at, and what it does not say is looked at no more", async () => {
			const door = await testDoor(houses);
			const ana = randomUUID();
			const [phone, laptop] = [await door.open(ana), await door.open(ana)];
			const [room, other] = [`group:${randomUUID()}`, `group:${randomUUID()}`];
			await first().focus(phone, ana, room);
			await first().focus(laptop, ana, other);
			door.looks.set(phone, room);
			await door.begin();
			const pairs = [room, other].map((name) => ({ profileId: ana, room: name }));
			assert.deepEqual(await last().looking(...pairs), [true, false]);
			await first().focus(phone, ana, null);
			assert.deepEqual(await last().looking(...pairs), [false, false]);
		});

		test("a door that counts otherwise is asked to begin anew", async () => {
			const door = await testDoor(houses);
			const ana = randomUUID();
			door.sockets.set("lost", ana);
			assert.equal((await door.report()).known, false);
			assert.equal((await door.begin()).known, true);
			assert.equal((await door.report()).known, true);
			assert.equal(await first().statusOf(ana), "online");
		});

		test("a report that comes late does not undo a newer one", async () => {
			const door = await testDoor(houses);
			const ana = randomUUID();
			const socket = await door.open(ana);
			await door.close(socket);
			await door.report({ number: 2, opened: [{ connectionId: socket, profileId: ana }] });
			await eventually(async () => assert.equal(await first().statusOf(ana), "offline"));
			assert.equal((await door.report({ number: 10 })).known, true);
		});

		test("a process that went away took the sockets of its door with it, and no others", async () => {
			const [gone, stays] = [await testDoor(houses), await testDoor(houses)];
			const [ana, ben, both] = [randomUUID(), randomUUID(), randomUUID()];
			await gone.open(ana);
			await gone.open(both);
			await stays.open(ben);
			await stays.open(both);
			await eventually(() => assert.deepEqual([ana, ben, both].flatMap(statuses), ["online", "online", "online"]));
			first().broker.broadcastLocal("$node.disconnected", { node: { id: gone.nodeId }, unexpected: true });
			await eventually(() => assert.deepEqual(statuses(ana), ["online", "offline"]));
			assert.deepEqual(
				(await last().lookup(ben, both)).map(({ status }) => status),
				["online", "online"],
			);
			assert.deepEqual([ben, both].flatMap(statuses), ["online", "online"]);
		});

		test("changes are numbered without a gap", async () => {
			const door = await testDoor(houses);
			const people = Array.from({ length: 40 }, () => randomUUID());
			for (const id of people) await door.close(await door.open(id));
			for (const id of people) await door.open(id);
			await eventually(() => assert.ok(people.every((id) => statuses(id).at(-1) === "online")));
			const numbers = houses()
				.flatMap(({ signals }) => signals.map(({ number }) => number))
				.sort((a, b) => a - b);
			assert.deepEqual(
				numbers,
				numbers.map((_, index) => (numbers[0] as number) + index),
			);
			assert.equal((await door.report()).told, numbers.at(-1));
		});
	});
}
