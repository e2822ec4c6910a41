// A mail as it travels: what nodemailer makes a message of.
import type { Rendered } from "./template.ts";

export interface Letter extends Rendered {
	/** Of the job: the same at every try, so that who gets it twice can tell. */
	id: string;
	/** One address. */
	to: string;
	/** `Name <address>` or an address. */
	from: string;
	at: Date;
}

/** Where a letter goes; throws where it did not arrive. Aborted by `signal`, it throws too. */
export type Deliver = (letter: Letter, signal: AbortSignal) => Promise<void>;

const ASCII = /^\p{ASCII}*$/u;

/**
 * A part in which lines stay as they are. Folded by a transfer encoding, a link of more than 76 characters could not be read or copied
 * from the raw message.
 */
const asItIs = (type: string, text: string) => ({
	raw: [
		`Content-Type: text/${type}; charset=utf-8`,
		`Content-Transfer-Encoding: ${ASCII.test(text) ? "7bit" : "8bit"}`,
		"",
		...text.split("\n"),
	].join("\r\n"),
});

/** @param eightBit whether other than ASCII may travel as it is */
export function messageOf({ id, to, from, at, subject, text, html, language, unsubscribe }: Letter, eightBit: boolean) {
	const part = (type: string, content: string) => (eightBit || ASCII.test(content) ? asItIs(type, content) : content);
	return {
		messageId: `<${id}@${hostOf(from)}>`,
		date: at,
		from,
		// As an object: a comma in it makes no second recipient.
		to: { name: "", address: to },
		subject,
		text: part("plain", text),
		html: part("html", html),
		headers: {
			"Auto-Submitted": "auto-generated",
			"Content-Language": language,
			// RFC 8058. As they are: an address that was folded would be none.
			...(unsubscribe && {
				"List-Unsubscribe": { prepared: true, value: `<${unsubscribe}>` },
				"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
			}),
		},
		disableFileAccess: true,
		disableUrlAccess: true,
	};
}

const hostOf = (from: string): string => /@([^\s<>@]+)>?\s*$/.exec(from)?.[1] ?? "localhost";

/** What can stand in an envelope as it is. Others would be sent to somebody else's address. */
export const isMailable = (address: string): boolean => /^[^\s<>()[\]\\,;:"@]+@[^\s<>()[\]\\,;:"@]+$/u.test(address);
