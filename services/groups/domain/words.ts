// What of a text can be found, in any language: no stemming and no dictionary, so that it is the same on every store. Words are folded
// (case, accents, Arabic and Kurdish letters that are typed in several ways), and found by how they begin. Scripts that are written
// without spaces are found by any two characters in a row. An emoji is a word.

/** Written without spaces, or, in Korean, with particles grown on. */
const joined = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u3005\u30fc]`;
const tokens = new RegExp(
	String.raw`(?<run>${joined}+)|(?<word>[[\p{L}\p{M}\p{N}]--${joined}]+|\p{Extended_Pictographic}|\p{RI}{2})`,
	"gv",
);
/** Longer ones are cut, when they are kept and when they are looked for. */
const LONGEST = 64;
/** Fewer letters begin too much: they are a word. */
const BEGINNING = 3;

// Accents, and vowel signs that are left out as often as not. (Those of Thai or Hindi are letters, and those of kana change the sound.)
const MARKS = /[[\p{M}&&[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Cyrillic}]]--[\u3099\u309a]]/gv;
// Joiners, directions, soft hyphens, and the stroke that stretches Arabic words.
const UNSEEN = /[\p{Cf}\u0640]/gu;
const LETTERS: Readonly<Record<string, string>> = {
	...{ ı: "i", ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", ß: "ss", æ: "ae", œ: "oe" },
	...{ ي: "ی", ى: "ی", ك: "ک", ة: "ه", ە: "ه", ھ: "ه", ہ: "ه", ٱ: "ا" },
	...Object.fromEntries([..."٠١٢٣٤٥٦٧٨٩"].map((digit, value) => [digit, String(value)])),
	...Object.fromEntries([..."۰۱۲۳۴۵۶۷۸۹"].map((digit, value) => [digit, String(value)])),
};
const OTHERWISE = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "gu");

/** A text as it is compared. */
export function fold(text: string): string {
	const lower = text.toLowerCase();
	// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
	if (/^[\x00-\x7f]*$/.test(lower)) return lower;
	const plain = lower.normalize("NFKD").replace(MARKS, "").replace(UNSEEN, "").normalize("NFC").toLowerCase();
	return plain.replace(OTHERWISE, (letter) => LETTERS[letter] ?? letter);
}

const cut = (word: string): string => (word.length <= LONGEST ? word : [...word].slice(0, LONGEST).join(""));
/** The Arabic article is written together with its word, and looked for without. */
const bare = (word: string): string => (/^و?ال...+$/u.test(word) ? word.replace(/^و?ال/u, "") : word);
const pairs = (run: string): string[] => [...run].map((char, i, all) => char + (all[i + 1] ?? ""));

/** By what a text is found: each once. Of a run of characters all pairs, and the last one alone. */
export function wordsOf(text: string): string[] {
	const found = new Set<string>();
	for (const { groups } of fold(text).matchAll(tokens)) {
		if (groups?.run !== undefined) for (const pair of pairs(groups.run)) found.add(pair);
		else if (groups?.word !== undefined) for (const word of [groups.word, bare(groups.word)]) found.add(cut(word));
	}
	return [...found];
}

/** What is looked for. `begins`: any word that begins so. */
export interface Term {
	word: string;
	begins: boolean;
}

/** What a question looks for: all of it must be there. None where there is nothing to look for. */
export function termsOf(question: string): Term[] {
	const terms = new Map<string, Term>();
	const add = (word: string, begins: boolean) => terms.set(word, { word, begins });
	for (const { groups } of fold(question).matchAll(tokens)) {
		if (groups?.run !== undefined) {
			const all = pairs(groups.run);
			for (const pair of all.slice(0, -1)) add(pair, false);
			if (all.length === 1) add(groups.run, true);
		} else if (groups?.word !== undefined) {
			const word = cut(bare(groups.word));
			add(word, [...word].length >= BEGINNING);
		}
	}
	return [...terms.values()];
}

const fits = (word: string, terms: readonly Term[]): boolean =>
	terms.some((term) => word === term.word || (term.begins && word.startsWith(term.word)));

const MOST_MATCHES = 100;
const spoken = /[\p{L}\p{M}\p{N}\p{Cf}]+|\p{Extended_Pictographic}\ufe0f?|\p{RI}{2}/gu;

/** Where a text fits a question, in its own characters (UTF-16): whole words, and pairs of characters grown together. */
export function matchesIn(content: string, question: string): { from: number; to: number }[] {
	const terms = termsOf(question);
	const matches: { from: number; to: number }[] = [];
	const add = (from: number, to: number) => {
		const last = matches.at(-1);
		if (last && from <= last.to) last.to = Math.max(last.to, to);
		else matches.push({ from, to });
	};
	for (const { 0: text, index } of content.matchAll(spoken)) {
		const isRun = new RegExp(joined, "v").test(text);
		if (!isRun) {
			if (wordsOf(text).some((word) => fits(word, terms))) add(index, index + text.length);
			continue;
		}
		const chars = [...text];
		let at = index;
		for (const [i, char] of chars.entries()) {
			const pair = fold(char + (chars[i + 1] ?? ""));
			if (terms.some(({ word, begins }) => word === pair || (begins && pair.startsWith(word)))) {
				const whole = terms.some(({ word }) => word === pair);
				add(at, at + char.length + (whole ? (chars[i + 1]?.length ?? 0) : 0));
			}
			at += char.length;
		}
	}
	return matches.slice(0, MOST_MATCHES);
}
