// Runs tsc over this folder: its files are wrong uses of the contracts, each under a `@ts-expect-error`, and an expectation
// that no error meets is an error itself. So a contract that has become looser than it was fails here.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const tsc = join(root, "node_modules/typescript/bin/tsc");
const folder = mkdtempSync(join(tmpdir(), "reloop-types-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function check(project: string): { passes: boolean; output: string } {
	const { status, stdout, stderr, error } = spawnSync(process.execPath, [tsc, "--noEmit", "--pretty", "false", "-p", project], {
		encoding: "utf8",
	});
	if (error) throw error;
	return { passes: status === 0, output: stdout + stderr };
}

/** Checks one file of a folder outside the project, with the project's own options. */
function checkPlanted(source: string): { passes: boolean; output: string } {
	writeFileSync(
		join(folder, "planted.mts"),
		`import type { Ctx } from ${JSON.stringify(join(root, "services/contracts/index.ts"))};\nexport async function planted(ctx: Ctx) {\n${source}\n}\n`,
	);
	writeFileSync(
		join(folder, "tsconfig.json"),
		JSON.stringify({
			extends: join(root, "tsconfig.json"),
			compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
			include: ["planted.mts"],
		}),
	);
	return check(join(folder, "tsconfig.json"));
}

test("every wrong use in this folder does not compile, and every right one does", () => {
	const { passes, output } = check(join(import.meta.dirname, "tsconfig.json"));
	assert.ok(passes, output);
});

test("there are wrong uses of calls, facts, socket events and inferred types", () => {
	for (const file of ["calls.ts", "facts.ts", "socket.ts", "infer.ts"]) {
		assert.ok(readdirSync(import.meta.dirname).includes(file), file);
		assert.ok(readFileSync(join(import.meta.dirname, file), "utf8").split("// @ts-expect-error").length > 6, file);
	}
});

test("a right use passes, so that the next two tests fail for their own reason", () => {
	const { passes, output } = checkPlanted('\tawait ctx.call("groups.mine", {});');
	assert.ok(passes, output);
});

test("a wrong use that nobody expects fails the check", () => {
	const { passes, output } = checkPlanted('\tawait ctx.call("groups.mine", { limit: "all" });');
	assert.equal(passes, false);
	assert.match(output, /planted\.mts\(3,\d+\): error TS2322/);
});

test("an expectation that no error meets fails the check", () => {
	const { passes, output } = checkPlanted('\t// @ts-expect-error it is fine\n\tawait ctx.call("groups.mine", {});');
	assert.equal(passes, false);
	assert.match(output, /planted\.mts\(3,\d+\): error TS2578/);
});
