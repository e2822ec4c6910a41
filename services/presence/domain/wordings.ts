// What notifications say, in every language: one row for each thing that can be told. `{name}` is the value of that name. What a row
// tells may stand in an inbox, on a lock screen, and in a mail. Pure.
import type { Kind } from "../../contracts/notifications.ts";

export const languages = ["en", "pt", "ar", "ku"] as const;
export type Language = (typeof languages)[number];

interface Words {
	title: string;
	body: string;
}
type Row = { kind: Kind; values: readonly string[] } & { readonly [L in Language]: Words };

export const wordings = {
	welcome: {
		kind: "welcome",
		values: ["name"],
		en: { title: "Welcome to Reloop, {name}", body: "Here you will find what concerns you." },
		pt: { title: "Boas-vindas ao Reloop, {name}", body: "Aqui encontra o que lhe diz respeito." },
		ar: { title: "مرحبًا بك في Reloop يا {name}", body: "ستجد هنا كل ما يهمّك." },
		ku: { title: "بەخێربێیت بۆ Reloop، {name}", body: "لێرە ئەوە دەدۆزیتەوە کە پەیوەندی بە تۆوە هەیە." },
	},
	verified: {
		kind: "verification",
		values: [],
		en: { title: "Your e-mail address is confirmed", body: "Mails from Reloop reach you from now on." },
		pt: { title: "O seu endereço de e-mail está confirmado", body: "A partir de agora recebe as mensagens do Reloop." },
		ar: { title: "تم تأكيد عنوان بريدك الإلكتروني", body: "ستصلك رسائل Reloop من الآن فصاعدًا." },
		ku: { title: "ناونیشانی ئیمەیڵەکەت پشتڕاستکرایەوە", body: "لەمەودوا نامەکانی Reloop پێت دەگەن." },
	},
	invited: {
		kind: "invite",
		values: ["name", "group"],
		en: { title: "{name} invites you to {group}", body: "You can accept or decline." },
		pt: { title: "{name} convida-o para {group}", body: "Pode aceitar ou recusar." },
		ar: { title: "{name} يدعوك إلى {group}", body: "يمكنك القبول أو الرفض." },
		ku: { title: "{name} بانگهێشتت دەکات بۆ {group}", body: "دەتوانیت قبووڵی بکەیت یان ڕەتی بکەیتەوە." },
	},
	asked: {
		kind: "invite",
		values: ["name", "group"],
		en: { title: "{name} asks to join {group}", body: "A moderator can let them in or turn them down." },
		pt: { title: "{name} pede para entrar em {group}", body: "Um moderador pode aceitar ou recusar o pedido." },
		ar: { title: "{name} يطلب الانضمام إلى {group}", body: "يمكن لمشرف قبول الطلب أو رفضه." },
		ku: { title: "{name} داوا دەکات بێتە ناو {group}", body: "سەرپەرشتیارێک دەتوانێت داواکە قبووڵ بکات یان ڕەتی بکاتەوە." },
	},
	letIn: {
		kind: "invite",
		values: ["group"],
		en: { title: "You are a member of {group} now", body: "Your request to join was accepted." },
		pt: { title: "Já faz parte de {group}", body: "O seu pedido para entrar foi aceite." },
		ar: { title: "أصبحت عضوًا في {group}", body: "تم قبول طلب انضمامك." },
		ku: { title: "ئێستا ئەندامی {group}یت", body: "داواکەت بۆ هاتنە ژوورەوە قبووڵ کرا." },
	},
	flagged: {
		kind: "report",
		values: ["group"],
		en: { title: "A message in {group} was reported", body: "A moderator can look at it." },
		pt: { title: "Uma mensagem em {group} foi denunciada", body: "Um moderador pode vê-la." },
		ar: { title: "تم الإبلاغ عن رسالة في {group}", body: "يمكن لمشرف الاطلاع عليها." },
		ku: { title: "سکاڵا لە نامەیەک لە {group} کرا", body: "سەرپەرشتیارێک دەتوانێت سەیری بکات." },
	},
	mentioned: {
		kind: "mention",
		values: ["name", "group", "excerpt"],
		en: { title: "{name} mentioned you in {group}", body: "{excerpt}" },
		pt: { title: "{name} mencionou-o em {group}", body: "{excerpt}" },
		ar: { title: "{name} أشار إليك في {group}", body: "{excerpt}" },
		ku: { title: "{name} لە {group} ئاماژەی پێکردیت", body: "{excerpt}" },
	},
	replied: {
		kind: "reply",
		values: ["name", "group", "excerpt"],
		en: { title: "{name} replied to you in {group}", body: "{excerpt}" },
		pt: { title: "{name} respondeu-lhe em {group}", body: "{excerpt}" },
		ar: { title: "{name} ردّ عليك في {group}", body: "{excerpt}" },
		ku: { title: "{name} لە {group} وەڵامی دایتەوە", body: "{excerpt}" },
	},
	wrote: {
		kind: "message",
		values: ["name", "excerpt"],
		en: { title: "{name}", body: "{excerpt}" },
		pt: { title: "{name}", body: "{excerpt}" },
		ar: { title: "{name}", body: "{excerpt}" },
		ku: { title: "{name}", body: "{excerpt}" },
	},
	/** The same once there are several that nobody has read: the newest is quoted. */
	wroteMore: {
		kind: "message",
		values: ["name", "count", "excerpt"],
		en: { title: "{name}: {count} new messages", body: "{excerpt}" },
		pt: { title: "{name}: {count} mensagens novas", body: "{excerpt}" },
		ar: { title: "{name}: رسائل جديدة ({count})", body: "{excerpt}" },
		ku: { title: "{name}: {count} نامەی نوێ", body: "{excerpt}" },
	},
	paid: {
		kind: "points",
		values: ["amount", "total"],
		en: { title: "You earned {amount} points", body: "You have {total} now." },
		pt: { title: "Ganhou {amount} pontos", body: "Tem agora {total}." },
		ar: { title: "ربحت {amount} نقطة", body: "لديك الآن {total}." },
		ku: { title: "{amount} خاڵت بەدەستهێنا", body: "ئێستا {total} خاڵت هەیە." },
	},
	paidCoins: {
		kind: "points",
		values: ["amount", "total"],
		en: { title: "You earned {amount} coins", body: "You have {total} now." },
		pt: { title: "Ganhou {amount} moedas", body: "Tem agora {total}." },
		ar: { title: "ربحت {amount} عملة", body: "لديك الآن {total}." },
		ku: { title: "{amount} دراوت بەدەستهێنا", body: "ئێستا {total} دراوت هەیە." },
	},
	levelUp: {
		kind: "level",
		values: ["level"],
		en: { title: "You reached level {level}", body: "Well done. On to the next one." },
		pt: { title: "Chegou ao nível {level}", body: "Muito bem. Venha o próximo." },
		ar: { title: "وصلت إلى المستوى {level}", body: "أحسنت. إلى المستوى التالي." },
		ku: { title: "گەیشتیت بە ئاستی {level}", body: "دەستخۆش. بەرەو ئاستی داهاتوو." },
	},
	roleChanged: {
		kind: "system",
		values: ["role"],
		en: { title: "Your account has another role", body: "It is {role} now. Sign in again for it to count." },
		pt: { title: "A sua conta tem outra função", body: "Agora é {role}. Inicie sessão de novo para que conte." },
		ar: { title: "تغيّر دور حسابك", body: "أصبح {role}. سجّل الدخول من جديد ليسري ذلك." },
		ku: { title: "ڕۆڵی هەژمارەکەت گۆڕا", body: "ئێستا {role}ـە. بۆ ئەوەی کاری پێبکرێت سەرلەنوێ بچۆ ژوورەوە." },
	},
	/** What operators say, in their own words. */
	said: {
		kind: "system",
		values: ["title", "body"],
		en: { title: "{title}", body: "{body}" },
		pt: { title: "{title}", body: "{body}" },
		ar: { title: "{title}", body: "{body}" },
		ku: { title: "{title}", body: "{body}" },
	},
} as const satisfies Record<string, Row>;

export type WordingName = keyof typeof wordings;
export type Values = Readonly<Record<string, string | number>>;

export const isLanguage = (text: string | null): text is Language => (languages as readonly (string | null)[]).includes(text);
export const languageOf = (asked: string | null): Language => (isLanguage(asked) ? asked : "en");
export const kindOf = (name: WordingName): Kind => wordings[name].kind;

const MOST_TITLE = 200;
const MOST_BODY = 500;
/** Stands where nobody knows any more how somebody is called. */
export const SOMEBODY: { readonly [L in Language]: string } = { en: "Somebody", pt: "Alguém", ar: "أحدهم", ku: "کەسێک" };

/** Cut between characters, with a sign that it was. */
export function cut(text: string, most: number): string {
	const signs = [...text];
	return signs.length <= most ? text : `${signs.slice(0, most - 1).join("")}…`;
}

/**
 * What it says in a language. Values come from strangers: they end no line, and turn the direction of nothing that stands beside them.
 * Throws where a value is missing.
 */
export function say(name: WordingName, language: Language, values: Values): Words {
	const { title, body } = wordings[name][language];
	const filled = (sentence: string) =>
		sentence.replace(/\{(\w+)\}/g, (_, value: string) => {
			const given = values[value];
			if (given === undefined) throw new Error(`The notification ${name} has no value for {${value}}.`);
			return flat(String(given));
		});
	// Nothing of a title may be left where its values are nothing but invisible.
	return { title: cut(filled(title).trim() || "…", MOST_TITLE), body: cut(filled(body), MOST_BODY) };
}

const flat = (text: string): string => text.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069\p{Zl}\p{Zp}]+/gu, " ");
