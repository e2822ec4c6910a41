// The words of an operator's command: what is meant, what is wrong with them, and what their help says.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Advice, Command } from "../../config/command.ts";
import { readCommand } from "../../config/command.ts";
import { operations, operationsIn } from "../../config/operations.ts";

const read = (line: string): Command | Advice => readCommand(line.split(" ").filter(Boolean), "admin ");
const advice = (line: string): Advice => {
	const read_ = read(line);
	assert.ok("text" in read_, line);
	return read_;
};

test("a command is its name, its arguments and whether a machine reads the answer", () => {
	const command = read("drain --json api-1");
	assert.ok("args" in command);
	assert.deepEqual([command.name, command.args, command.json], ["drain", ["api-1"], true]);
});

test("the list names every command, and is an error's answer where nothing was asked for", () => {
	const { text, wanted } = advice("help");
	assert.equal(wanted, true);
	for (const { usage, summary } of Object.values(operations)) assert.ok(text.includes(usage) && text.includes(summary));
	for (const line of ["", "abolish", "constructor", "help abolish"]) assert.equal(advice(line).wanted, false, line);
});

test("each command has help, asked for in either way", () => {
	for (const [name, { usage, summary }] of Object.entries(operations)) {
		for (const line of [`help ${name}`, `${name} --help`]) {
			const { text, wanted } = advice(line);
			assert.ok(wanted && text.startsWith(`Usage: admin ${usage} [--json]\n`) && text.includes(summary), line);
		}
	}
});

test("too few and too many arguments are told how it goes", () => {
	assert.deepEqual(advice("drain"), { text: "Usage: admin drain <node> [--json]", wanted: false });
	assert.deepEqual(advice("status now"), { text: "Usage: admin status [--json]", wanted: false });
	assert.ok("args" in read("dead-letters"));
});

test("a command is there by being in a file of the folder, and two of one name are refused", async () => {
	const folder = mkdtempSync(join(tmpdir(), "reloop-operations-"));
	const there = () => operationsIn(pathToFileURL(`${folder}/`));
	const command = (usage: string) => `{ usage: "${usage}", run() {} }`;
	try {
		writeFileSync(join(folder, "notes.ts"), `export const list = ${command("notes [id]")};\nexport const help = () => {};\n`);
		writeFileSync(join(folder, "each.ts"), "export const each = [];\n");
		writeFileSync(join(folder, ".DS_Store"), "");
		assert.deepEqual(Object.keys(await there()), ["notes"]);
		writeFileSync(join(folder, "others.ts"), `export const notes = ${command("notes")};\n`);
		await assert.rejects(there(), /Two operations in config\/operations are called notes\./);
	} finally {
		rmSync(folder, { recursive: true });
	}
});
