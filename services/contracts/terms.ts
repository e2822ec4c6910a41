// Terms of service: versions, and who has accepted which.
import { published } from "./contract.ts";
import { bool, defaulted, list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

const version = text(1, 40);
const inLanguage = object({ title: text(1, 200), content: text(1, 50_000) });
/** By language. Who asks for another one gets English, or what there is. */
const texts = object({ en: optional(inLanguage), pt: optional(inLanguage), ar: optional(inLanguage), ku: optional(inLanguage) });
export type Texts = Infer<typeof texts>;

export const terms = object({
	id: uuid,
	version,
	/** Who has accepted an earlier version is asked again. False for a change of words. */
	requiresAcceptance: bool,
	texts,
	state: oneOf("draft", "published"),
	createdAt: time,
	updatedAt: time,
	publishedAt: nullable(time),
});
export type Terms = Infer<typeof terms>;

const termsId = { termsId: uuid };

export const actions = {
	...published({
		"terms.current": {
			summary: "The terms of service in force, in a language or else in English.",
			params: { language: optional(text(2, 35)) },
			answer: object({ id: uuid, version, language: text(2, 8), title: text(1, 200), content: text(1, 50_000), publishedAt: time }),
			repeatable: true,
		},
		"terms.accept": {
			summary: "Accept the terms in force; `id`, where given, must be theirs. Again: the first acceptance.",
			params: { id: optional(uuid) },
			answer: object({ id: uuid, version, acceptedAt: time }),
			errors: ["conflict", "not-found"],
		},
		"terms.list": { summary: "All versions, drafts too, newest first.", params: page, answer: list(terms), repeatable: true },
		"terms.show": { summary: "One version.", params: termsId, answer: terms, repeatable: true },
		"terms.create": {
			summary: "Write a version: a draft, which nobody else sees.",
			params: { version, texts, requiresAcceptance: defaulted(bool, true) },
			answer: terms,
			errors: ["conflict"],
		},
		"terms.change": {
			summary: "Change a draft. What was published stays as it is.",
			params: { ...termsId, version: optional(version), texts: optional(texts), requiresAcceptance: optional(bool) },
			answer: terms,
			errors: ["wrong-state", "conflict"],
		},
		"terms.publish": {
			summary: "Put a draft in force, from now on and for good.",
			params: termsId,
			answer: terms,
			errors: ["wrong-state"],
		},
		"terms.remove": { summary: "Throw a draft away.", params: termsId, answer: object({}), errors: ["wrong-state"] },
	}),
};
