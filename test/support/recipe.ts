// Follows CONTRIBUTING.md to the letter: every block of it that names a file is written there, every `diff` block is applied, in
// the order of the page. What the blocks leave out, nobody who reads them has either.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

export interface Block {
	/** What the text says about how it is written: `ts`, `sql`, `diff`, `bash` … */
	language: string;
	/** Relative to the project; undefined for what is typed or only read. */
	file: string | undefined;
	text: string;
	/** The heading it stands under. */
	heading: string;
}

const FENCE = /^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm;

/** The blocks of a page, in their order. */
export function blocksOf(page: string): Block[] {
	return [...page.matchAll(FENCE)].map(({ 1: language = "", 2: file, 3: text = "", index }) => {
		const heading = page.slice(0, index).match(/^#+ (.+)$(?![\s\S]*^#+ )/m)?.[1] ?? "";
		return { language, file, text, heading };
	});
}

/**
 * A text after a `diff` block: lines that begin with a space are found in it, `-` goes, `+` comes; `…` alone on a line leaps over
 * any lines. Throws where a place is not found, or is not the only one.
 */
export function patched(text: string, diff: string): string {
	let done = text;
	for (const hunk of diff.split(/^ ?\s*…\n/m)) {
		const lines = hunk.split("\n").filter((line) => line !== "");
		const before = lines.filter((line) => !line.startsWith("+")).map((line) => line.slice(1));
		const after = lines.filter((line) => !line.startsWith("-")).map((line) => line.slice(1));
		const places = done.split(`${before.join("\n")}\n`).length - 1;
		if (places !== 1) throw new Error(`${places} places instead of one have these lines:\n${before.join("\n")}`);
		// A function, since `$` has a meaning in a text that replaces.
		done = done.replace(`${before.join("\n")}\n`, () => `${after.join("\n")}\n`);
	}
	return done;
}

const REMEDY =
	"The recipe is followed to the letter. Where a file of the house has changed under it, change this block: one line that is there, right above the place, is enough.";

/** Writes a block into the project at `root`. Throws where a new file is there already. */
export async function follow(root: string, { language, file, text, heading }: Block): Promise<void> {
	if (!file) return;
	const place = path.join(root, file);
	try {
		if (language === "diff") return await writeFile(place, patched(await readFile(place, "utf8"), text));
		await mkdir(path.dirname(place), { recursive: true });
		await writeFile(place, text, { flag: "wx" });
	} catch (error) {
		throw new Error(`CONTRIBUTING.md, "${heading}", ${file}: ${(error as Error).message}\n${REMEDY}`, { cause: error });
	}
}
