// What somebody may react with: one emoji, whatever it is made of (families, flags, keycaps, tones of skin).

/** Shown as a picture only with the selector after it, which many keyboards leave out. */
const SELECTOR = "\uFE0F";
const isPlain = (char: string) => /\p{Emoji}/u.test(char) && !/\p{Emoji_Presentation}/u.test(char);
const isTone = (char: string) => /\p{Emoji_Modifier}/u.test(char);
// As Unicode lists them for interchange, in the version that Node knows.
const ONE_EMOJI = /^\p{RGI_Emoji}$/v;

/** The emoji as it is fully written, so that two ways of writing a heart are one reaction; null where it is not one emoji. */
export function asEmoji(text: string): string | null {
	const chars = [...text.replaceAll(SELECTOR, "")];
	const full = chars.map((char, i) => (isPlain(char) && !isTone(chars[i + 1] ?? "") ? char + SELECTOR : char)).join("");
	return ONE_EMOJI.test(full) ? full : null;
}
