// SECRET_KEY where nobody gave one.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { refusal } from "../refusal.ts";
import { secretKey } from "./kinds.ts";

/** The key of a development machine: made once, readable by its owner alone. */
export function keptKey(dataDir: string): string {
	const file = path.join(dataDir, "secret.key");
	if (!fs.existsSync(file)) {
		fs.mkdirSync(dataDir, { recursive: true });
		const draft = `${file}.${process.pid}`;
		fs.writeFileSync(draft, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
		try {
			// Whole or not at all, and never over the key of another process that was faster.
			fs.linkSync(draft, file);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		} finally {
			fs.rmSync(draft);
		}
	}
	const key = secretKey.read(fs.readFileSync(file, "utf8").trim());
	if (!key) throw refusal(`${file} must hold ${secretKey.may}. Restore it: what was encrypted with it cannot be read without.`);
	return key;
}
