// Mails as files, for whoever has no mail server: one for each, readable with any mail program.
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import type { Deliver } from "./letter.ts";
import { messageOf } from "./letter.ts";

/**
 * Writes `<id>.eml` into the folder: whole or not at all, and the same file when it is written again. Ids are in the order of their
 * time, and nothing of a mail gets into its name.
 */
export function intoFiles(folder: string): Deliver {
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
			await rename(draft, join(folder, `${letter.id}.eml`));
		} catch (error) {
			await rm(draft, { force: true });
			throw error;
		}
	};
}
