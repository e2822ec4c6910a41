// A program that is kept running: started, asked whether it is ready, started again when it ends, and ended when told to.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { refusal } from "../refusal.ts";

export interface Program {
	name: string;
	command: string;
	args: readonly string[];
	environment: Readonly<Record<string, string>>;
	folder: string;
	/** Everything it prints goes there. */
	log: string;
	/** One of ours: it ends by itself when this process is gone, and may be told to end where there are no signals. */
	ours: boolean;
	/** How it is; rejects while it does not answer. */
	probe(): Promise<"ready" | "degraded" | "not ready">;
}

export type State = "starting" | "ready" | "degraded" | "not ready" | "ended";

const START_LIMIT_MS = 90_000;
/** A program that does not end by itself in this time (ms) is killed: our own give themselves 9.5 s. */
const STOP_LIMIT_MS = 12_000;
/** First pause before it is started again (ms), doubled while it does not come up. */
const AGAIN_MS = 1_000;
const LONGEST_AGAIN_MS = 10_000;
const LOOK_OFTEN_MS = 100;
const LOOK_MS = 1_000;
const LARGE_LOG = 10_000_000;

export class Keeper {
	readonly program: Program;
	readonly #onChange: (keeper: Keeper, what?: string) => void;
	#child: ChildProcess | undefined;
	#state: State = "starting";
	#startedAt = new Date();
	#restarts = 0;
	#stopping = false;
	#ran: Promise<void> | undefined;

	constructor(program: Program, onChange: (keeper: Keeper, what?: string) => void) {
		this.program = program;
		this.#onChange = onChange;
	}

	get state(): State {
		return this.#state;
	}
	/** Null while none runs. */
	get pid(): number | null {
		return this.#child?.pid ?? null;
	}
	get startedAt(): Date {
		return this.#startedAt;
	}
	get restarts(): number {
		return this.#restarts;
	}

	/** Starts it for the first time; resolved when it is ready. Rejects with its last words when it does not come up. */
	async start(): Promise<void> {
		const until = Date.now() + START_LIMIT_MS;
		const from = this.#launch();
		while (!this.#stopping) {
			if (!this.#child) throw refusal(this.#lastWords(from));
			await this.#look();
			if (this.#state === "ready" || this.#state === "degraded") break;
			if (Date.now() > until) throw refusal(`${this.program.name} is not ready after ${START_LIMIT_MS / 1000} s: see ${this.program.log}.`);
			await pause(LOOK_OFTEN_MS);
		}
		this.#ran = this.#keep();
	}

	/** Ends it as its operator would; after a while by force. Safe to call at any time, and twice. */
	async stop(): Promise<void> {
		this.#stopping = true;
		const child = this.#child;
		if (child) {
			const gone = once(child, "exit");
			if (process.platform === "win32" && this.program.ours) child.disconnect();
			else child.kill("SIGTERM");
			const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
			await gone;
			clearTimeout(late);
		}
		await this.#ran;
	}

	/** At once, and without a word. */
	kill(): void {
		this.#stopping = true;
		this.#child?.kill("SIGKILL");
	}

	/** Looks after it until it is to end. */
	async #keep(): Promise<void> {
		let wait = AGAIN_MS;
		while (!this.#stopping) {
			if (this.#child) {
				await this.#look();
				if (this.#state === "ready") wait = AGAIN_MS;
				await this.#sleep(this.#state === "ready" ? LOOK_MS : LOOK_OFTEN_MS);
				continue;
			}
			await this.#sleep(wait);
			wait = Math.min(wait * 2, LONGEST_AGAIN_MS);
			if (this.#stopping || this.#child) continue;
			this.#restarts++;
			try {
				this.#launch();
			} catch (error) {
				this.#become("ended", (error as Error).message);
			}
		}
	}

	/** Until then, or until it ends, or is to end. */
	async #sleep(ms: number): Promise<void> {
		const until = Date.now() + ms;
		const child = this.#child;
		while (!this.#stopping && this.#child === child && Date.now() < until) await pause(Math.min(50, ms));
	}

	async #look(): Promise<void> {
		const child = this.#child;
		const seen = await this.program.probe().catch(() => undefined);
		if (this.#child !== child || !child) return;
		if (seen) this.#become(seen);
		// One that was ready and says nothing is not well; one that starts says nothing yet.
		else if (this.#state !== "starting") this.#become("not ready");
	}

	#become(state: State, what?: string): void {
		if (this.#state === state) return;
		this.#state = state;
		this.#onChange(this, what);
	}

	/** Answers where in the log its words begin. */
	#launch(): number {
		const { command, args, environment, folder, log, ours } = this.program;
		if ((fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LARGE_LOG) fs.renameSync(log, `${log}.1`);
		const file = fs.openSync(log, "a", 0o600);
		const from = fs.fstatSync(file).size;
		// Detached: Ctrl-C in the terminal is ours to hear, and they end in order.
		const child = spawn(command, args, {
			cwd: folder,
			env: environment,
			detached: true,
			stdio: ["ignore", file, file, ...(ours ? (["ipc"] as const) : [])],
		});
		fs.closeSync(file);
		this.#child = child;
		this.#startedAt = new Date();
		this.#state = "starting";
		const ended = (how: string): void => {
			if (this.#child !== child) return;
			this.#child = undefined;
			this.#state = "ended";
			this.#onChange(this, how);
		};
		child.once("error", (error) => ended(error.message));
		child.once("exit", (code, signal) => ended(signal ?? `code ${code}`));
		this.#onChange(this);
		return from;
	}

	#lastWords(from: number): string {
		const { name, log } = this.program;
		const lines = fs.readFileSync(log).subarray(from).toString().trim().split("\n");
		const words = lines
			.filter((line) => !/^\s+at /.test(line))
			.slice(-3)
			.join("\n");
		return `${name} ended before it was ready: ${words || "it said nothing"}\nAll of it is in ${log}.`;
	}
}
