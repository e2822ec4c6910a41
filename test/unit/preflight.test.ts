import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

const preflight = path.resolve(import.meta.dirname, "../../config/preflight.js");

function run(...flags: string[]): { code: number | null; said: string } {
	const { status, stderr } = spawnSync(process.execPath, [...flags, "--import", preflight, "--eval", ""], { encoding: "utf8" });
	return { code: status, said: stderr };
}

test("A Node that can run the platform passes without a word.", () => {
	assert.deepEqual(run("--disable-proto=delete"), { code: 0, said: "" });
});

test("Without --disable-proto=delete the start ends with one sentence.", () => {
	const { code, said } = run();
	assert.equal(code, 1);
	assert.match(said, /^Reloop runs only with --disable-proto=delete: .+\n$/);
});

test("A Node that is too old ends with one sentence that names both versions.", () => {
	const old = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "20.1.0" } })`;
	const { code, said } = run("--disable-proto=delete", "--import", old);
	assert.equal(code, 1);
	assert.match(said, /^Reloop needs Node 24 or later; this is Node 20\.1\.0\. .+\n$/);
});
