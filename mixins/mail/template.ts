// What a mail says, in a table, and the text and HTML made of it. The wording says nothing about looks: what stands around it, what
// is escaped, and which way it runs are decided here, once for all mails.
export const languages = ["en", "pt", "ar", "ku"] as const;
export type Language = (typeof languages)[number];

/** The words of a mail in one language. `{name}` is the value of that name. */
export interface Wording {
	subject: string;
	/** Paragraphs, before the code and the link. */
	say: readonly string[];
	/** What the link is for: on the button, and above the address in the text. */
	link?: string;
	/** Paragraphs after them. */
	after?: readonly string[];
	/** What the link out is for, in mails that have one (`leave` of the mail): the last line. */
	leave?: string;
}

/** One of several things that a mail lists, between what it says and its link. */
export interface Item {
	title: string;
	body: string;
}

/** What a mail may have besides its wording and values. */
export interface Extras {
	items?: readonly Item[];
	/** Where mails of this kind are called off: a page for people, and an address for mail programs (RFC 8058). */
	leave?: { page: string; oneClick: string };
}

/**
 * A mail in several languages; English is always there. `values` names what is filled in. Two of them are not for sentences: `code`
 * is a line of its own, `code: 123456` in every language, and `link` is the one address in the mail.
 */
export interface Template {
	readonly values: readonly string[];
	readonly en: Wording;
	readonly pt?: Wording;
	readonly ar?: Wording;
	readonly ku?: Wording;
}
export type Templates = Readonly<Record<string, Template>>;

export type Value = string | number;
/** What must be given for a template. */
export type ValuesOf<T extends Template> = { readonly [V in T["values"][number]]: Value };

export interface Rendered {
	language: Language;
	subject: string;
	/** Lines end with "\n". */
	text: string;
	html: string;
	/** Where a mail program calls off mails of this kind, by one POST. */
	unsubscribe?: string;
}

/** Languages written from right to left. Kurdish (`ku`) is Sorani here, which is written in Arabic letters. */
const RIGHT_TO_LEFT: ReadonlySet<Language> = new Set(["ar", "ku"]);
const MOST_SUBJECT = 200;

/** The language a mail can be written in: the one asked for, or English. */
export function languageOf(template: Template, asked: string | null): Language {
	const known = languages.find((language) => language === asked);
	return known && template[known] ? known : "en";
}

/** A mail with its values in it. Values, and what it lists, may come from strangers. */
export function render(
	template: Template,
	asked: string | null,
	values: Readonly<Record<string, Value>>,
	{ items = [], leave }: Extras = {},
): Rendered {
	const language = languageOf(template, asked);
	const wording = template[language] ?? template.en;
	const { subject, say, link: what = "", after = [], leave: out = "" } = wording;
	const { code, link } = values;
	const plain = (sentence: string) => filled(sentence, values, (value) => value);
	const marked = (sentence: string) => `<p>${filled(escapeHtml(sentence), values, (value) => `<bdi>${escapeHtml(value)}</bdi>`)}</p>`;
	const blocks = [
		...say.map(plain),
		...(items.length === 0 ? [] : [items.map(({ title, body }) => `- ${harmless(title)}\n  ${harmless(body)}`).join("\n")]),
		...(code === undefined ? [] : [`code: ${harmless(code)}`]),
		...(link === undefined ? [] : [[...(what ? [plain(what)] : []), String(link)].join("\n")]),
		...after.map(plain),
		...(leave ? [`${plain(out)}\n${leave.page}`] : []),
	];
	const direction = RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
	const title = plain(subject).slice(0, MOST_SUBJECT);
	const html = [
		"<!doctype html>",
		`<html lang="${language}" dir="${direction}">`,
		`<head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>`,
		`<body dir="${direction}" style="font-family: sans-serif; line-height: 1.5">`,
		...say.map(marked),
		...(items.length === 0 ? [] : ["<ul>", ...items.map(listed), "</ul>"]),
		...(code === undefined ? [] : [`<p dir="ltr" style="font-size: 1.75em; letter-spacing: 0.2em">${escapeHtml(harmless(code))}</p>`]),
		...(link === undefined ? [] : [`<p><a href="${escapeHtml(String(link))}">${escapeHtml(plain(what))}</a></p>`]),
		...after.map(marked),
		...(leave ? [`<p style="font-size: 0.85em"><a href="${escapeHtml(leave.page)}">${escapeHtml(plain(out))}</a></p>`] : []),
		"</body>",
		"</html>",
	];
	const made = { language, subject: title, text: `${blocks.join("\n\n")}\n`, html: `${html.join("\n")}\n` };
	return leave ? { ...made, unsubscribe: leave.oneClick } : made;
}

const listed = ({ title, body }: Item): string =>
	`<li><strong><bdi>${escapeHtml(harmless(title))}</bdi></strong><br><bdi>${escapeHtml(harmless(body))}</bdi></li>`;

function filled(sentence: string, values: Readonly<Record<string, Value>>, show: (value: string) => string): string {
	return sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
		const value = values[name];
		if (value === undefined) throw new Error(`A mail has no value for {${name}}.`);
		return show(harmless(value));
	});
}

/** A value is part of a line: it ends none, turns no direction round, and is no address to go to. */
const harmless = (value: Value): string =>
	String(value)
		.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
		.replaceAll("//", "/ /");

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] as string);
