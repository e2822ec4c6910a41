// Mails as files, for whoever has no mail server: one for each, readable with any mail program.
import { createHmac } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import type { Deliver } from "./letter.ts";
import { messageOf } from "./letter.ts";

/** What stands for an address in names of files: whoever reads them without the key learns that two are for one receiver, and not for whom. */
export const markOf = (key: Buffer, address: string): string => createHmac("sha256", key).update(address).digest("base64url").slice(0, 22);

/**
 * Writes `<id>.<mark of the receiver>.eml` into the folder: whole or not at all, and the same file when it is written again. Ids are in the
 * order of their time, and nothing else of a mail gets into its name.
 * @param key of the marks
 */
export function intoFiles(folder: string, key: Buffer): Deliver {
	let drafts = 0;
	const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
	return async (letter) => {
		const { message } = await composer.sendMail(messageOf(letter, true));
		// Codes and links are for their receivers.
		await mkdir(folder, { recursive: true, mode: 0o700 });
		const draft = join(folder, `${letter.id}.${process.pid}-${drafts++}.draft`);
		try {
			const file = await open(draft, "w", 0o600);
			try {
				await file.writeFile(message as Buffer);
				await file.sync();
			} finally {
				await file.close();
			}
			await rename(draft, join(folder, `${letter.id}.${markOf(key, letter.to)}.eml`));
		} catch (error) {
			await rm(draft, { force: true });
			throw error;
		}
	};
}

const NAME = /^([0-9a-f-]{36})\.([\w-]{22})\.eml$/;

/** Removes the mails to these marks that are older than the id. Safe to do twice; what is no mail of ours is left alone. */
export async function removeFiles(folder: string, marks: readonly string[], before: string): Promise<void> {
	const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return [];
		throw error;
	});
	for (const name of names) {
		const [, id = "", mark = ""] = NAME.exec(name) ?? [];
		if (id !== "" && id < before && marks.includes(mark)) await rm(join(folder, name), { force: true });
	}
}
