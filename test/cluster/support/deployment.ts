// What the tests of the deployment share: programs that read its files, and what the platform thinks of the variables in them.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { nodeFolders, readEnv, systemEnvironment } from "../../../config/env.ts";
import { findProgram } from "../../../config/programs.ts";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** The nodes there are: each must be deployed. */
export const NODES = nodeFolders();

/** Runs a program to its end in the project, with nothing of our own environment but where programs are. */
export function run(program: string, args: string[], { input, env = {} }: { input?: string; env?: Record<string, string> } = {}) {
	const file = findProgram(program);
	assert.ok(file, `${program} was not found`);
	const { status, stdout, stderr } = spawnSync(file, args, {
		cwd: ROOT,
		env: { ...systemEnvironment(), HOME: os.tmpdir(), ...env },
		encoding: "utf8",
		input,
		maxBuffer: 64 * 1024 * 1024,
	});
	return { code: status, out: stdout, err: stderr };
}

/** Runs a command as a container gives it (node and its arguments), with its variables alone; answers how it ended. */
export async function start([program, ...args]: string[], env: Record<string, string>): Promise<{ code: number | null; output: string }> {
	assert.equal(program, "node");
	const child = spawn(process.execPath, args, { cwd: ROOT, env });
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (chunk) => {
			output += chunk;
		});
	const [code] = (await once(child, "close")) as [number | null];
	return { code, output };
}

/** A start would accept these variables, whatever is asked of it later. */
export function acceptable(variables: Record<string, string>): void {
	const data = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-env-"));
	try {
		readEnv({ ...variables, DATA_DIR: data });
	} finally {
		fs.rmSync(data, { recursive: true });
	}
}

/** How long a stop may take, as config/start.ts has it (ms): the notice is part of the longest stop. */
export function longestStop(): number {
	const source = fs.readFileSync(path.join(ROOT, "config/start.ts"), "utf8");
	const [, ms = ""] = /const LONGEST_STOP = ([\d_]+);/.exec(source) ?? [];
	assert.ok(ms, "config/start.ts says how long a stop may take");
	return Number(ms.replaceAll("_", ""));
}
