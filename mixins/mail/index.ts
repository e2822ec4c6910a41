// Mail: what a node sends to people outside. A node writes its mails as a table of templates; each is a job of that node, planned in
// the transaction that wants it, so that no mail is sent for what was rolled back, and none lost that was committed.
//
//   export const notesMail = mailOf("notes", {
//   	shared: { values: ["title", "link"], en: { subject: "A note for you", say: ["{title}"], link: "Read it" }, pt: … },
//   });
//   export const notesJobs = jobsOf("notes", { …, mail: notesMail.task });
//
//   const sendMail = notesMail.on(broker);
//   await sendMail(tx, { to, language: "pt", template: "shared", values: { title, link } });
//
// By default a mail is a file in DATA_DIR/mail; with SMTP_URL it goes to that server. A mail that failed is tried again for some two
// and a half days, and then waits for `npm run admin -- jobs retry`.
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { newId } from "../id.ts";
import type { JobTools } from "../jobs/index.ts";
import { planJob } from "../jobs/queue.ts";
import { perBroker } from "../per-broker.ts";
import type { Tx } from "../postgres.ts";
import { keyFor } from "../secret.ts";
import { settings } from "../settings.ts";
import { intoFiles, markOf, removeFiles } from "./files.ts";
import type { Deliver } from "./letter.ts";
import { isMailable } from "./letter.ts";
import { seal, unseal } from "./sealed.ts";
import { overSmtp } from "./smtp.ts";
import type { Extras, Templates, ValuesOf } from "./template.ts";
import { render } from "./template.ts";

export type { Item, Language, Template, Templates, ValuesOf, Wording } from "./template.ts";
export { languages } from "./template.ts";

/** A mail that is asked for. `language`: of who gets it; null, or one without a translation, is English. */
export type Mail<T extends Templates> = {
	[N in keyof T & string]: { to: string; language: string | null; template: N; values: ValuesOf<T[N]> } & Extras;
}[keyof T & string];

/** Plans the mail in the transaction: it is sent when that commits. */
export type SendMail<T extends Templates> = (tx: Tx, mail: Mail<T>) => Promise<void>;

/** What waits: the mail itself is sealed. */
export interface Waiting {
	id: string;
	at: string;
	sealed: string;
}

export interface NodeMail<T extends Templates> {
	on(broker: ServiceBroker): SendMail<T>;
	/** For the node's jobs, under the name `mail`: in lanes of its own, so that a mail server that hangs holds up mails alone. */
	readonly task: { lanes: number; run(waiting: Waiting, tools: JobTools): Promise<void> };
}

/** With the back-off of jobs (e, e², e³ … seconds, at most six hours) about two and a half days. */
const TRIES = 20;
/** Mails at the same time in one process. */
const LANES = 2;

/** What the mails of one process share. */
const postOf = perBroker((broker) => {
	const { DATA_DIR, SMTP_URL, MAIL_FROM, PUBLIC_URL, SECRET_KEY, NODE_ENV } = settings(broker);
	if (!SMTP_URL && NODE_ENV === "production") broker.logger.warn("Mails are written into files: SMTP_URL is not set.");
	const folder = SMTP_URL ? undefined : join(DATA_DIR, "mail");
	const fileKey = keyFor(SECRET_KEY, "names of mails in files");
	const deliver: Deliver = folder === undefined ? overSmtp(SMTP_URL as string) : intoFiles(folder, fileKey);
	return {
		deliver,
		/** Where mails are kept, if they are. */
		folder,
		fileKey,
		key: keyFor(SECRET_KEY, "mails that wait"),
		from: MAIL_FROM ?? `Reloop <reloop@${new URL(PUBLIC_URL).hostname}>`,
		/** Templates and languages that were said to be missing. */
		lacking: new Set<string>(),
	};
});

/** Mails that are to go: those that were planned before `before` (an id) to the addresses whose marks these are. */
export interface OldMails {
	marks: string[];
	before: string;
}

/** The mails that were planned so far to the addresses, as they are kept in files; undefined where none are: they are with the mail server. */
export function mailsSoFar(broker: ServiceBroker, addresses: readonly string[]): OldMails | undefined {
	const { folder, fileKey } = postOf(broker);
	return folder === undefined ? undefined : { marks: addresses.map((address) => markOf(fileKey, address)), before: newId() };
}

/** Removes them from this process's DATA_DIR. Safe to do twice. */
export async function forgetMails(broker: ServiceBroker, { marks, before }: OldMails): Promise<void> {
	const { folder } = postOf(broker);
	if (folder !== undefined) await removeFiles(folder, marks, before);
}

export function mailOf<const T extends Templates>(node: string, templates: T): NodeMail<T> {
	return {
		on: (broker) => (tx, mail) => {
			const [id, at] = [newId(), new Date()];
			const sealed = seal(postOf(broker).key, JSON.stringify(mail), id);
			const payload: Waiting = { id, at: at.toISOString(), sealed };
			return planJob(tx, node, { task: "mail", key: id, payload, at, tries: TRIES });
		},

		task: {
			lanes: LANES,
			async run({ id, at, sealed }, { broker, signal }) {
				const { deliver, key, from, lacking } = postOf(broker);
				const { to, language, template: name, values, ...extras } = JSON.parse(unseal(key, sealed, id)) as Mail<T>;
				if (!isMailable(to)) {
					broker.logger.warn("a mail has an address that no mail can go to", { node, mail: id, template: name });
					return;
				}
				const template = templates[name];
				if (!template) throw new Error(`There is no mail "${name}".`);
				const rendered = render(template, language, values, extras);
				const missing = `${node} ${name} ${language}`;
				if (language !== null && rendered.language !== language && !lacking.has(missing)) {
					lacking.add(missing);
					broker.logger.warn("a mail is not translated: English is sent", { node, template: name, language });
				}
				await deliver({ ...rendered, id, at: new Date(at), to, from }, signal);
			},
		},
	};
}
