// How passwords are hashed: in threads that come and go, a bounded number at once, behind everything else that wants the processor.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { after, afterEach, describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { isProblem } from "../../services/contracts/errors.ts";
import { AT_ONCE, computed, Hashing, LONGEST_WAIT_MS, MAX_WAITING, NICE, niceOn } from "../../services/identity/sign-in/hashing.ts";
import { stopClock, turnClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";

/** Every thread that was started since the last look. */
let started: Worker[] = [];
const onWorker = (worker: Worker) => void started.push(worker);
process.on("worker", onWorker);
after(() => process.off("worker", onWorker));

const failures: string[] = [];
const made: Hashing[] = [];
function hashing(): Hashing {
	const one = new Hashing((error) => failures.push(error.message));
	made.push(one);
	return one;
}
/** With all its threads, which have nothing to do. */
async function warmed(): Promise<Hashing> {
	const one = hashing();
	await Promise.all(Array.from({ length: AT_ONCE }, () => one.verify("x", null)));
	assert.equal(started.length, AT_ONCE);
	return one;
}
afterEach(() => {
	for (const one of made.splice(0)) one.stop();
	started = [];
});

const unavailable = (error: unknown) => isProblem(error, "unavailable");
const outcomes = async (promises: Promise<unknown>[]) => {
	const settled = await Promise.allSettled(promises);
	const refused = settled.filter((one) => one.status === "rejected");
	for (const { reason } of refused) assert.ok(unavailable(reason), String(reason));
	return { done: settled.length - refused.length, refused: refused.length };
};

describe("hashing", () => {
	test("a hash is of its password alone, and says how it was made", async () => {
		const passwords = hashing();
		const stored = await passwords.hash("three green bottles");
		assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
		assert.equal(await passwords.verify("three green bottles", stored), true);
		assert.equal(await passwords.verify("three green bottle", stored), false);
		assert.notEqual(await passwords.hash("three green bottles"), stored);
	});

	test("where there is no account or no password, nothing is right, at the price of one hash", async () => {
		const passwords = hashing();
		for (const stored of [undefined, null]) {
			const before = computed.hashes;
			assert.equal(await passwords.verify("", stored), false);
			assert.equal(computed.hashes - before, 1);
		}
	});

	test("as many threads as hashes may run at once, however many are wanted", async () => {
		const passwords = hashing();
		assert.equal(started.length, 0, "none before the first hash");
		await Promise.all(Array.from({ length: 3 * AT_ONCE }, () => passwords.verify("x", null)));
		assert.equal(started.length, AT_ONCE);
	});

	test("beyond those that may wait, who comes is told to come later", async () => {
		const passwords = hashing();
		const wanted = Array.from({ length: AT_ONCE + MAX_WAITING }, () => passwords.verify("x", null));
		const before = computed.hashes;
		await assert.rejects(passwords.verify("x", null), unavailable);
		assert.equal(computed.hashes, before);
		passwords.stop();
		assert.deepEqual(await outcomes(wanted), { done: 0, refused: AT_ONCE + MAX_WAITING });
	});

	test("who has waited too long is refused without a hash, and the next one is not", async () => {
		const passwords = hashing();
		stopClock();
		const early = Array.from({ length: AT_ONCE + 3 }, () => passwords.verify("x", null));
		const before = computed.hashes;
		turnClock(LONGEST_WAIT_MS + 1);
		const late = passwords.verify("x", null);
		assert.deepEqual(await outcomes(early), { done: AT_ONCE, refused: 3 });
		assert.equal(await late, false);
		assert.equal(computed.hashes - before, 1);
	});
});

describe("a thread that fails", () => {
	test("refuses the hash it had, and another takes its place", async () => {
		const passwords = hashing();
		await passwords.verify("x", null);
		const [thread] = started as [Worker];
		const lost = passwords.verify("x", null);
		await Promise.all([assert.rejects(lost, unavailable), thread.terminate()]);
		assert.equal(await passwords.verify("x", null), false);
		assert.equal(started.length, 2);
	});

	test("by an error is reported", async () => {
		const passwords = hashing();
		await passwords.verify("x", null);
		// What it cannot hash ends it.
		const [thread] = started as [Worker];
		thread.postMessage({ message: 1 });
		await eventually(() => assert.match(failures.join(), /message/));
		assert.equal(await passwords.verify("x", null), false);
	});

	test("holds up nobody who waits: all of them at once leave the waiting ones to the next", async () => {
		const passwords = await warmed();
		const wanted = Array.from({ length: AT_ONCE + 4 }, () => passwords.verify("x", null));
		await Promise.all([
			outcomes(wanted).then((is) => assert.deepEqual(is, { done: 4, refused: AT_ONCE })),
			...started.map((one) => one.terminate()),
		]);
	});
});

describe("the end of hashing", () => {
	test("stops every thread, with a hash or without, and refuses what comes and what waits", async () => {
		const passwords = await warmed();
		const wanted = Array.from({ length: AT_ONCE + 1 }, () => passwords.verify("x", null));
		const ends = started.map((thread) => new Promise((resolve) => thread.once("exit", resolve)));
		passwords.stop();
		assert.deepEqual(await outcomes(wanted), { done: 0, refused: AT_ONCE + 1 });
		await Promise.all(ends);
		await assert.rejects(passwords.verify("x", null), unavailable);
		assert.equal(started.length, AT_ONCE);
	});
});

describe("the priority of the threads", () => {
	test("is lowered on Linux alone: elsewhere it would be the whole process's", () => {
		assert.equal(niceOn("linux"), NICE);
		for (const platform of ["darwin", "win32", "freebsd"] as const) assert.equal(niceOn(platform), undefined);
	});

	test("is theirs and not the process's", { skip: process.platform !== "linux" && "Linux alone has priorities of threads" }, async () => {
		const before = getPriority(0);
		await hashing().verify("x", null);
		assert.equal(getPriority(0), before);
		// What follows the name, which may hold spaces: state, …; nice is the 17th of them.
		const nice = readdirSync("/proc/self/task").map((task) => {
			const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
			return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
		});
		assert.equal(nice.filter((one) => one === NICE).length, 1);
	});
});
