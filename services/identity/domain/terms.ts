// Which language of the terms somebody reads, and whether they are yet to accept them. Pure.
import { problem } from "../../contracts/errors.ts";
import type { Texts } from "../../contracts/terms.ts";

type Language = keyof Texts;
const LANGUAGES: readonly Language[] = ["en", "pt", "ar", "ku"];

/** Throws 422 `validation` for terms without a word. */
export function acceptTexts(texts: Texts): Texts {
	if (LANGUAGES.some((language) => texts[language])) return texts;
	throw problem("validation", { errors: [{ path: "texts", code: "required", message: "must be there in one language at least" }] });
}

/** The text in the language asked for (`pt-BR` is `pt`), else in English, else in the first there is. */
export function inLanguage(texts: Texts, asked: string | undefined): { language: Language; title: string; content: string } {
	const wanted = asked?.toLowerCase().split("-")[0];
	const order = [...LANGUAGES].sort((one, other) => Number(other === wanted) - Number(one === wanted));
	for (const language of order) {
		const text = texts[language];
		if (text) return { language, ...text };
	}
	throw new Error("Terms without a text were published.");
}

export interface Versions {
	/** What is in force; null where nothing was published. */
	current: { id: string; publishedAt: string } | null;
	/** When the newest version that asks everybody anew was published. */
	askedSince: string | null;
	/** When the newest version that this account has accepted was published. */
	accepted: string | null;
}

/** Required: nothing accepted yet, or only what came before the newest version that asks anew. */
export function stateOf({ current, askedSince, accepted }: Versions): { required: boolean; currentId: string | null } {
	if (!current) return { required: false, currentId: null };
	return { required: accepted === null || (askedSince !== null && accepted < askedSince), currentId: current.id };
}
