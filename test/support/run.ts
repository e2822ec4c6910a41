// Our programs as their users run them, to their end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { testEnvironment } from "./environment.ts";

export interface Ran {
	code: number;
	out: string;
	err: string;
}

/** Runs `config/<program>.ts`; `environment` is all it gets besides what the system needs, `input` what is typed. */
export async function runProgram(program: string, args: string[], environment: Record<string, string>, input = ""): Promise<Ran> {
	const child = spawn(process.execPath, ["--disable-proto=delete", "--import", "./config/preflight.js", `config/${program}.ts`, ...args], {
		env: { ...testEnvironment(), ...environment },
	});
	let out = "";
	let err = "";
	child.stdout.on("data", (chunk) => {
		out += chunk;
	});
	child.stderr.on("data", (chunk) => {
		err += chunk;
	});
	child.stdin.end(input);
	const [code] = (await once(child, "close")) as [number];
	return { code, out, err };
}
