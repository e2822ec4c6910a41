// What people are mailed about their rights, and that no mail that waits says who was erased.
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import { ended } from "../support/archive.ts";
import { eventually, http, is, person, startTestApp, turnClock } from "../support/kit.ts";
import { mailsTo, mailTo } from "../support/mailbox.ts";
import { mailServer } from "../support/smtp.ts";

const DAY = 86_400_000;
const erase = (who: Awaited<ReturnType<typeof person>>) => who.send("DELETE", "/api/auth/me", { password: who.password });

describe("an address that was proved is told", () => {
	it("in its language, that the archive is there and that the account is gone; another is not", async (t) => {
		const app = await startTestApp();
		t.after(() => app.stop());
		const dataDir = settings(app.broker).DATA_DIR;
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const { code } = await mailTo(dataDir, ana.email);
		is(await http(app.url, "/api/auth/verify-email", { body: { email: ana.email, code } }), 200);
		is(await ana.send("PATCH", "/api/auth/me", { language: "pt" }), 200);
		for (const who of [ben, ana]) {
			const { id } = is(await who.post("/api/auth/me/export"), 202).body;
			await ended(() => who.get(`/api/jobs/${id}`));
		}
		const ready = await mailTo(dataDir, ana.email, 2);
		assert.deepEqual([ready.subject.length > 0, ready.links], [true, [`${app.url}/export`]]);
		assert.match(ready.text, /24 horas/);
		for (const who of [ben, ana]) is(await erase(who), 202);
		await eventually(async () => {
			const [last, ...others] = await mailsTo(dataDir, ana.email);
			assert.match(last?.text ?? "", /foi apagada/);
			assert.deepEqual([others, await mailsTo(dataDir, ben.email)], [[], []]);
		});
	});
});

describe("mails that lie in files", () => {
	it("go with the person, the last one after a day; nobody else's go", async (t) => {
		const app = await startTestApp();
		t.after(() => app.stop());
		const dataDir = settings(app.broker).DATA_DIR;
		const [ana, ben] = [await person(app.url, "Ana"), await person(app.url, "Ben")];
		const { code } = await mailTo(dataDir, ana.email);
		is(await http(app.url, "/api/auth/verify-email", { body: { email: ana.email, code } }), 200);
		const next = `next-${ana.email}`;
		is(await ana.post("/api/auth/change-email", { email: next, password: ana.password }), 202);
		await Promise.all([mailTo(dataDir, next), mailTo(dataDir, ana.email, 2), mailTo(dataDir, ben.email)]);
		await writeFile(join(dataDir, "mail", "by-somebody-else.eml"), "To: somebody");
		is(await erase(ana), 202);
		const counts = async () =>
			(await Promise.all([ana.email, next, ben.email].map((to) => mailsTo(dataDir, to)))).map((mails) => mails.length);
		await eventually(async () => assert.deepEqual(await counts(), [1, 0, 1]));
		assert.match((await mailTo(dataDir, ana.email)).text, /was erased/);
		const again = await http(app.url, "/api/auth/register", { body: { email: ana.email, password: ana.password, displayName: "Ana" } });
		is(again, 201);
		await mailTo(dataDir, ana.email, 2);
		turnClock(DAY + 60_000);
		await eventually(async () => assert.deepEqual(await counts(), [1, 0, 1]));
		assert.match((await mailTo(dataDir, ana.email)).text, /Please confirm/);
		assert.ok((await readdir(join(dataDir, "mail"))).includes("by-somebody-else.eml"));
	});
});

describe("mails that no server takes", () => {
	it("say nothing readable of whom they were for", async (t) => {
		const onRcptTo = (to: { address: string }, _session: unknown, callback: (error: Error) => void) =>
			callback(new Error(`No ${to.address} here`));
		const { port, stop } = await mailServer({ onRcptTo });
		t.after(stop);
		const app = await startTestApp({ SMTP_URL: `smtp://127.0.0.1:${port}` });
		t.after(() => app.stop());
		const ana = await person(app.url, "Ana");
		is(await http(app.url, "/api/auth/forgot-password", { body: { email: ana.email } }), 202);
		const db = database("identity");
		await db.query("update accounts set verified_at = now() where id = $1", [ana.accountId]);
		is(await erase(ana), 202);
		const waiting = () =>
			db.query<{ row: string }>(
				"select concat(j.*::text, p.*::text) as row from identity_jobs.jobs j join identity_jobs._private_jobs p using (id)",
			);
		await eventually(async () => {
			const rows = await waiting();
			assert.ok(rows.filter(({ row }) => /The mail server did not take it/.test(row)).length >= 2, JSON.stringify(rows));
		});
		for (const { row } of await waiting()) assert.ok(!row.includes(ana.email) && !row.includes(Buffer.from(ana.email).toString("base64")));
	});
});
