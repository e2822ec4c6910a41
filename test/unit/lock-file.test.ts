import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { withLock } from "../../config/lock-file.ts";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-lock-"));
const file = path.join(folder, "lock");
after(() => fs.rmSync(folder, { recursive: true }));

test("Of several that want one lock, each runs alone, and the file is gone afterwards.", async () => {
	let inside = 0;
	let most = 0;
	const work = () =>
		withLock(file, async () => {
			most = Math.max(most, ++inside);
			await new Promise((resolve) => setImmediate(resolve));
			inside--;
		});
	await Promise.all([work(), work(), work(), work()]);
	assert.equal(most, 1);
	assert.equal(fs.existsSync(file), false);
});

test("A lock is given back when the work fails, and the failure is the answer.", async () => {
	await assert.rejects(
		withLock(file, async () => {
			throw new Error("boom");
		}),
		/boom/,
	);
	assert.equal(await withLock(file, async () => "free"), "free");
});

test("A holder that died does not keep the lock, not even one whose process id is ours by now.", async () => {
	const { pid } = spawnSync(process.execPath, ["--version"]);
	for (const holder of [pid, process.pid]) {
		fs.writeFileSync(file, String(holder));
		assert.equal(await withLock(file, async () => "free"), "free");
	}
});
