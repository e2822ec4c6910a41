// Mails as files, from what was planned to what lies there.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import type { JobTools } from "../../mixins/jobs/index.ts";
import type { Waiting } from "../../mixins/mail/index.ts";
import { mailOf } from "../../mixins/mail/index.ts";
import type { Tx } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { mailsTo } from "../support/mailbox.ts";

const DATA_DIR = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-mail-"));
after(() => fs.rmSync(DATA_DIR, { recursive: true }));

const notesMail = mailOf("notes", {
	shared: { values: ["title"], en: { subject: "{title}", say: ["{title} for you"] }, pt: { subject: "{title}", say: ["{title} para si"] } },
	read: { values: [], en: { subject: "Read", say: ["Read"] } },
});

const lines: string[] = [];
const broker = new ServiceBroker({ logger: false, skipProcessEventRegistration: true });
broker.logger.warn = (...words: unknown[]) => void lines.push(JSON.stringify(words));
provideSettings(broker, readEnv({ NODE_ENV: "test", DATA_DIR, SECRET_KEY: Buffer.alloc(32, 1).toString("base64") }, ["notes"]));
const tools = { broker, signal: new AbortController().signal } as JobTools;

/** What a job would carry: of a transaction, planning asks one question only. */
async function planned(mail: Parameters<ReturnType<typeof notesMail.on>>[1]): Promise<Waiting> {
	let payload = "";
	const query = async (_sql: string, values: readonly unknown[] = []) => {
		payload = String(values[1]);
		return [{ id: 1 }];
	};
	await notesMail.on(broker)({ query, send: () => {}, afterCommit: () => {} } as Tx, mail);
	return JSON.parse(payload);
}
const files = () => fs.readdirSync(path.join(DATA_DIR, "mail"));

test("a mail is a file named after its job, for its owner's eyes, and the same file when the job runs twice", async () => {
	const waiting = await planned({ to: "ana@example.org", language: "pt", template: "shared", values: { title: "../../Zips" } });
	assert.doesNotMatch(JSON.stringify(waiting), /ana@|Zips/);
	await Promise.all([notesMail.task.run(waiting, tools), notesMail.task.run(waiting, tools)]);
	await notesMail.task.run(waiting, tools);
	const [name = "", ...others] = files();
	assert.match(name, new RegExp(`^${waiting.id}\\.[\\w-]{22}\\.eml$`));
	assert.deepEqual(others, []);
	assert.equal(fs.statSync(path.join(DATA_DIR, "mail", name)).mode & 0o077, 0);
	const [mail] = await mailsTo(DATA_DIR, "ana@example.org");
	assert.deepEqual([mail?.subject, mail?.text], ["../../Zips", "../../Zips para si\n"]);
	assert.match(mail?.raw ?? "", new RegExp(`^Message-ID: <${waiting.id}@localhost>\\r$`, "m"));
});

test("a mail without a translation is English, and that is said once for each template and language", async () => {
	const send = async (template: "shared" | "read", language: string | null) =>
		notesMail.task.run(await planned({ to: "ben@example.org", language, template, values: { title: "Zips" } }), tools);
	for (let i = 0; i < 3; i++) await send("read", "ku");
	await send("shared", "ku");
	await send("shared", "pt");
	await send("read", null);
	await send("read", "en");
	const said = lines.filter((line) => line.includes("not translated"));
	assert.equal(said.length, 2, said.join("\n"));
	assert.ok(said.every((line) => line.includes('"ku"') && !line.includes("ben@")));
	assert.equal((await mailsTo(DATA_DIR, "ben@example.org")).length, 7);
});

test("a subject adds no header", async () => {
	const title = "Hello\r\nBcc: eve@example.org\r\n\r\nText";
	await notesMail.task.run(await planned({ to: "cid@example.org", language: "en", template: "shared", values: { title } }), tools);
	const [mail] = await mailsTo(DATA_DIR, "cid@example.org");
	assert.equal(mail?.subject, "Hello Bcc: eve@example.org Text");
	assert.doesNotMatch(mail?.raw ?? "", /^Bcc:/im);
});

test("an address that no mail can go to is no reason to try for ever", async () => {
	const before = files();
	await notesMail.task.run(await planned({ to: "a,b<c>@example.org", language: "en", template: "read", values: {} }), tools);
	assert.deepEqual(files(), before);
});
