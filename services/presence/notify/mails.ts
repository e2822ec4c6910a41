// The mails of this node: what somebody has not seen, one thing by itself or what has gathered. Each has a way out.
import type { ServiceBroker } from "moleculer";
import { mailOf } from "../../../mixins/mail/index.ts";
import type { Templates } from "../../../mixins/mail/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { settings } from "../../../mixins/settings.ts";
import type { Kind } from "../../contracts/notifications.ts";
import { languageOf, say } from "../domain/wordings.ts";
import type { NotificationRow } from "../store/notifications.ts";
import { tokenOf } from "./unsubscribe.ts";

const leave = {
	en: "No more mails like this one:",
	pt: "Não receber mais mensagens como esta:",
	ar: "إيقاف الرسائل التي من هذا النوع:",
	ku: "چیتر نامەی لەم جۆرە مەنێرە:",
};

export const mails = {
	notice: {
		values: ["title", "body", "link"],
		en: { subject: "{title}", say: ["{title}", "{body}"], link: "See it at Reloop:", leave: leave.en },
		pt: { subject: "{title}", say: ["{title}", "{body}"], link: "Ver no Reloop:", leave: leave.pt },
		ar: { subject: "{title}", say: ["{title}", "{body}"], link: "اطّلع عليه في Reloop:", leave: leave.ar },
		ku: { subject: "{title}", say: ["{title}", "{body}"], link: "لە Reloop بیبینە:", leave: leave.ku },
	},
	digest: {
		values: ["count", "link"],
		en: { subject: "New for you at Reloop: {count}", say: ["You have not seen this yet:"], link: "See everything:", leave: leave.en },
		pt: { subject: "Novidades para si no Reloop: {count}", say: ["Ainda não viu isto:"], link: "Ver tudo:", leave: leave.pt },
		ar: { subject: "جديدك في Reloop: {count}", say: ["لم تطّلع على هذا بعد:"], link: "عرض الكل:", leave: leave.ar },
		ku: { subject: "نوێ بۆ تۆ لە Reloop: {count}", say: ["هێشتا ئەمانەت نەبینیوە:"], link: "هەمووی ببینە:", leave: leave.ku },
	},
} as const satisfies Templates;

export const presenceMail = mailOf("presence", mails);

/** Where mails of these kinds are called off. */
function wayOut(broker: ServiceBroker, profileId: string, kinds: readonly Kind[]): { page: string; oneClick: string } {
	const base = settings(broker).PUBLIC_URL;
	const query = `?token=${tokenOf(broker, profileId, kinds)}`;
	return { page: `${base}/unsubscribe${query}`, oneClick: `${base}/api/notifications/unsubscribe${query}` };
}

/** In the language of whoever gets it now, whatever it was when it was told. */
const itemOf = (row: NotificationRow, language: string | null) =>
	say(row.wording === "wrote" && row.count > 1 ? "wroteMore" : row.wording, languageOf(language), { ...row.vals, count: row.count });

/** Plans the mail of one notification, or of several, to their one receiver. */
export async function sendNotices(
	tx: Tx,
	broker: ServiceBroker,
	{ to, language }: { to: string; language: string | null },
	rows: readonly [NotificationRow, ...NotificationRow[]],
	digest: boolean,
): Promise<void> {
	const send = presenceMail.on(broker);
	const link = `${settings(broker).PUBLIC_URL}/inbox`;
	const [{ profileId }] = rows;
	const about = { to, language, leave: wayOut(broker, profileId, [...new Set(rows.map(({ kind }) => kind))]) };
	const items = rows.map((row) => itemOf(row, language));
	const [first] = items;
	if (digest) await send(tx, { ...about, template: "digest", values: { count: rows.length, link }, items });
	else if (first) await send(tx, { ...about, template: "notice", values: { ...first, link } });
}
