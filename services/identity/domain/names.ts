// How names are found: folded to what people type for them, and cut into pieces that an index can hold. Pure.

/** Letters that Unicode does not take apart, and those of Arabic and Kurdish keyboards that look alike. */
const LETTERS: Readonly<Record<string, string>> = {
	æ: "ae",
	œ: "oe",
	ø: "o",
	đ: "d",
	ð: "d",
	ħ: "h",
	ł: "l",
	þ: "th",
	ς: "σ",
	ك: "ک",
	ى: "ی",
	ي: "ی",
	ة: "ه",
};
const REPLACED = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "gu");
/** Accents and vowel signs, signs that show nothing, and the stroke that lengthens Arabic words. */
const DROPPED = /[\p{M}\p{Cf}\u0640]/gu;

/** Lower case, without accents, ligatures as their letters, one space between words: "  José  Łuk" becomes "jose luk". May be empty. */
export function foldName(text: string): string {
	// Upper case first: ß becomes ss, and a dotless ı becomes i.
	const plain = text.normalize("NFKD").toUpperCase().toLowerCase().normalize("NFKD").replace(DROPPED, "");
	return plain
		.replace(REPLACED, (letter) => LETTERS[letter] as string)
		.replace(/\s+/gu, " ")
		.trim();
}

const PIECE = 3;

function* pieces(letters: readonly string[], length: number): Iterable<string> {
	for (let at = 0; at + length <= letters.length; at++) yield letters.slice(at, at + length).join("");
}

/** Every piece of one to three letters of a folded name, for the index. */
export function piecesOf(folded: string): string[] {
	const letters = [...folded];
	return [...new Set([1, 2, PIECE].flatMap((length) => [...pieces(letters, length)]))];
}

/** The pieces that a name must have where it contains this; the longest there are. */
export function piecesFor(folded: string): string[] {
	const letters = [...folded];
	return [...new Set(pieces(letters, Math.min(PIECE, letters.length)))];
}
