// Mails as people get them: the files of a process without a mail server, and what stands in them.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

export interface Got {
	id: string;
	/** Headers and parts as they were written. */
	raw: string;
	to: string;
	subject: string;
	/** The text part, with "\n". */
	text: string;
	html: string;
	/** Of the line `code: 123456`. */
	code: string | undefined;
	/** All addresses in the text. */
	links: string[];
	/** Of the link. */
	token: string | undefined;
}

const header = (raw: string, name: string): string =>
	(new RegExp(`^${name}: ((?:.*\r\n[ \t])*.*)\r\n`, "im").exec(raw)?.[1] ?? "").replaceAll(/\r\n\s/g, " ");

/** A message of which every part was sent as it is. */
export function read(id: string, raw: string): Got {
	const part = (type: string) =>
		new RegExp(`Content-Type: text/${type}[^]*?\r\n\r\n([^]*?)\r\n----_NmP`).exec(raw)?.[1]?.replaceAll("\r\n", "\n") ?? "";
	const text = part("plain");
	const links = [...text.matchAll(/https?:\/\/\S+/g)].map(([link]) => link);
	const code = /^code: (\d{6})$/m.exec(text)?.[1];
	const token = (links[0] && new URL(links[0]).searchParams.get("token")) ?? undefined;
	return { id, raw, to: header(raw, "To"), subject: header(raw, "Subject"), text, html: part("html"), code, links, token };
}

/** Every mail to an address, oldest first. */
export async function mailsTo(dataDir: string, address: string): Promise<Got[]> {
	const folder = join(dataDir, "mail");
	const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".eml")).sort();
	const mails = await Promise.all(files.map(async (name) => read(name.slice(0, 36), await readFile(join(folder, name), "utf8"))));
	return mails.filter(({ to }) => to === address);
}

/** The n-th mail to an address, once it is there; the first unless said. */
export const mailTo = (dataDir: string, address: string, n = 1): Promise<Got> =>
	eventually(async () => {
		const mail = (await mailsTo(dataDir, address))[n - 1];
		if (!mail) throw new Error(`There is no mail ${n} to ${address}.`);
		return mail;
	});
