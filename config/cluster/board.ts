// What `npm run cluster` shows: a table of its processes, drawn anew at each change where a person looks at it, and a line for
// each change where the output goes to a file.
import { ago, columns } from "../columns.ts";
import type { Keeper } from "./keeper.ts";
import type { Planned } from "./plan.ts";

export interface Row {
	planned: Planned;
	keeper: Keeper;
	url: string;
}

interface Screen {
	isTTY?: boolean;
	write(text: string): unknown;
}

const REDRAW_MS = 1_000;

export class Board {
	readonly #rows: readonly Row[];
	readonly #screen: Screen;
	/** Lines of what was drawn last. */
	#drawn = 0;
	#lastLine = "";
	#timer: NodeJS.Timeout | undefined;

	constructor(rows: readonly Row[], screen: Screen) {
		this.#rows = rows;
		this.#screen = screen;
		if (screen.isTTY) this.#timer = setInterval(() => this.#draw(), REDRAW_MS).unref();
	}

	/** A process, or a server, has changed. `how`: what became of it. */
	changed({ program: { name }, state, pid, restarts }: Keeper, how?: string): void {
		if (this.#screen.isTTY) return this.#draw();
		const url = this.#rows.find((row) => row.planned.name === name)?.url ?? "";
		const words = state === "ended" ? `ended (${how ?? "?"})` : `${state}${pid === null ? "" : `  pid ${pid}`}`;
		this.#screen.write(`${`${name.padEnd(16)} ${words.padEnd(26)} ${url}${restarts > 0 ? `  restarts ${restarts}` : ""}`.trimEnd()}\n`);
	}

	/** What stands below the table from now on. */
	say(line: string): void {
		if (this.#screen.isTTY) {
			this.#lastLine = line;
			this.#draw();
		} else {
			this.#screen.write(`${line}\n`);
		}
	}

	table(): string {
		return columns([
			["process", "state", "pid", "up", "restarts", "at"],
			...this.#rows.map(({ planned, keeper, url }) => [
				planned.name,
				keeper.state,
				keeper.pid ?? "-",
				keeper.pid === null ? "-" : ago(keeper.startedAt),
				keeper.restarts,
				url,
			]),
		]);
	}

	end(): void {
		clearInterval(this.#timer);
	}

	#draw(): void {
		const text = `${this.table()}\n${this.#lastLine ? `${this.#lastLine}\n` : ""}`;
		this.#screen.write(`${this.#drawn > 0 ? `\u001b[${this.#drawn}A\u001b[J` : ""}${text}`);
		this.#drawn = text.split("\n").length - 1;
	}
}
