// Mails over SMTP: to a real server, which is good, bad, gone, and back.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Letter } from "../../mixins/mail/letter.ts";
import { overSmtp } from "../../mixins/mail/smtp.ts";
import { failedJobs, jobsState, retryJobs } from "../../mixins/jobs/state.ts";
import { database } from "../../mixins/postgres.ts";
import { ended } from "../support/archive.ts";
import { eventually, is, person, startTestApp } from "../support/kit.ts";
import type { MailServer } from "../support/smtp.ts";
import { freePort, mailServer, silentServer } from "../support/smtp.ts";

const letter = (more: Partial<Letter> = {}): Letter => ({
	id: "one",
	to: "ana@example.org",
	from: "Reloop <no-reply@reloop.example>",
	at: new Date("2026-03-01T10:00:00.000Z"),
	language: "en",
	subject: "Hello",
	text: `Hello\n\ncode: 123456\n\nhttps://reloop.example/verify-email?token=${"x".repeat(60)}\n`,
	html: "<p>Hello</p>\n",
	...more,
});
const never = new AbortController().signal;
const impatient = { connection: 300, greeting: 300, answer: 300, whole: 2_000 };
const causeOf = async (sending: Promise<void>): Promise<string> => {
	const error = await sending.then(
		() => assert.fail("it was sent"),
		(thrown: unknown) => thrown,
	);
	assert.ok(error instanceof Error);
	return `${error.message} ${error.stack}`;
};

describe("a mail over SMTP", () => {
	test("arrives whole: envelope, Message-ID of its job, and a link that no encoding has cut", async () => {
		const server = await mailServer();
		await overSmtp(`smtp://127.0.0.1:${server.port}`)(letter(), never);
		const [mail] = server.taken;
		await server.stop();
		assert.deepEqual([mail?.to, mail?.from, mail?.messageId], [["ana@example.org"], "no-reply@reloop.example", "<one@reloop.example>"]);
		assert.ok(mail?.raw.includes(`\r\nhttps://reloop.example/verify-email?token=${"x".repeat(60)}\r\n`), mail?.raw);
		assert.match(mail?.raw ?? "", /^Auto-Submitted: auto-generated\r$/m);
	});

	test("in other scripts needs no server that takes eight bits", async () => {
		const server = await mailServer({ hide8BITMIME: true });
		await overSmtp(`smtp://127.0.0.1:${server.port}`)(
			letter({ language: "ar", subject: "مرحبا", text: "مرحبا\n", html: "<p>مرحبا</p>\n" }),
			never,
		);
		await server.stop();
		assert.match(server.taken[0]?.raw ?? "", /^\p{ASCII}*$/u);
	});

	test("signs in with the password of SMTP_URL, which no failure tells", async () => {
		const server = await mailServer({ allowInsecureAuth: true });
		await overSmtp(`smtp://ana%40x:right@127.0.0.1:${server.port}`)(letter(), never);
		assert.equal(server.taken[0]?.user, "ana@x");
		const cause = await causeOf(overSmtp(`smtp://ana%40x:hunter2@127.0.0.1:${server.port}`)(letter(), never));
		await server.stop();
		assert.match(cause, /EAUTH/);
		assert.doesNotMatch(cause, /hunter2|ana@x/);
	});

	test("uses TLS where the server offers it, and insists where it must", async () => {
		const server = await mailServer({ disabledCommands: [] });
		await overSmtp(`smtp://127.0.0.1:${server.port}?requireTLS=true`)(letter(), never);
		await server.stop();
		assert.equal(server.taken.length, 1);
		const bare = await mailServer();
		const cause = await causeOf(overSmtp(`smtp://127.0.0.1:${bare.port}?requireTLS=true`)(letter(), never));
		await bare.stop();
		assert.match(cause, /ETLS|STARTTLS/);
	});

	test("is not sent where the server refuses, and the operator is told the server's words", async () => {
		const server = await mailServer({ verdict: () => "refuse" });
		assert.match(await causeOf(overSmtp(`smtp://127.0.0.1:${server.port}`)(letter(), never)), /451 Mailbox busy/);
		await server.stop();
		assert.match(await causeOf(overSmtp(`smtp://127.0.0.1:${await freePort()}`)(letter(), never)), /ECONNREFUSED|ESOCKET/);
	});

	test("waits for no server for ever: silent at once, silent later, or slow without end", async () => {
		for (const greeting of ["", "220 mail.example ESMTP\r\n"]) {
			const server = await silentServer(greeting);
			assert.match(await causeOf(overSmtp(`smtp://127.0.0.1:${server.port}`, impatient)(letter(), never)), /ETIMEDOUT|ESOCKET|ECONNECTION/);
			await eventually(() => assert.equal(server.connections(), 0));
			await server.stop();
		}
		const dripping = await mailServer({ onMailFrom: () => {} });
		const patient = { ...impatient, answer: 60_000, whole: 500 };
		assert.match(await causeOf(overSmtp(`smtp://127.0.0.1:${dripping.port}`, patient)(letter(), never)), /did not take it/);
		await dripping.stop();
	});

	test("is left where the process stops", async () => {
		const server = await silentServer();
		const stopping = new AbortController();
		const sending = causeOf(overSmtp(`smtp://127.0.0.1:${server.port}`)(letter(), stopping.signal));
		await eventually(() => assert.equal(server.connections(), 1));
		stopping.abort();
		await sending;
		await eventually(() => assert.equal(server.connections(), 0));
		await server.stop();
	});
});

test("a mail server that takes connections and never answers holds up mails, and no other job of the node", {
	timeout: 60_000,
}, async () => {
	const server = await silentServer();
	after(() => server.stop());
	const app = await startTestApp({ SMTP_URL: `smtp://127.0.0.1:${server.port}` });
	after(() => app.stop());
	const ana = await person(app.url, "Ana");
	// More than the node has lanes, of whatever kind.
	await Promise.all(Array.from({ length: 6 }, (_, n) => person(app.url, `Ben ${n}`)));
	await eventually(() => assert.equal(server.connections(), 2));
	const job = is(await ana.post("/api/auth/me/export"), 202).body;
	await ended(() => ana.get(`/api/jobs/${job.id}`));
	assert.equal(server.connections(), 2);
	await app.stop();
});

describe("a mail server that is away", () => {
	const waiting = async () => {
		const { mail } = await jobsState(database("identity"), "identity", new Date());
		return (mail?.waiting ?? 0) + (mail?.due ?? 0) + (mail?.running ?? 0);
	};
	let server: MailServer | undefined;
	after(() => server?.stop());

	test("loses nothing: what it refused, or broke off, arrives when it is back, once", { timeout: 90_000 }, async () => {
		const port = await freePort();
		const app = await startTestApp({ SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: "no-reply@reloop.example" });
		after(() => app.stop());
		const people = await Promise.all(["Ana", "Ben", "Cid"].map((name) => person(app.url, name)));
		await eventually(async () => assert.equal(await waiting(), 3));
		// Its first answer to each is lost: the message may have arrived, and comes again with the same id.
		const seen = new Map<string, number>();
		server = await mailServer({
			port,
			verdict(id) {
				seen.set(id, (seen.get(id) ?? 0) + 1);
				return seen.get(id) === 1 ? "drop" : "take";
			},
		});
		const { taken } = server;
		await eventually(async () => {
			// The back-off need not be waited for.
			await database("identity").query("update identity_jobs._private_jobs set run_at = now() where locked_at is null and attempts > 0");
			assert.equal(await waiting(), 0);
		}, 60_000);
		assert.deepEqual(taken.map(({ to }) => to[0]).sort(), people.map(({ email }) => email).sort());
		assert.deepEqual([...seen.keys()].sort(), taken.map(({ messageId }) => messageId).sort());
		assert.ok([...seen.values()].every((times) => times >= 2));
		await app.stop();
	});

	test("for good is seen by operators, who give the mail another life; no code or address is in what they see", {
		timeout: 90_000,
	}, async () => {
		const refusing = await mailServer({ verdict: () => "refuse" });
		after(() => refusing.stop());
		const app = await startTestApp({ SMTP_URL: `smtp://ana:right-hunter2@127.0.0.1:${refusing.port}` });
		after(() => app.stop());
		const db = database("identity");
		const ana = await person(app.url, "Ana");
		await eventually(async () => {
			const rows = await db.query(
				"update identity_jobs._private_jobs set attempts = max_attempts where locked_at is null and attempts > 0 returning 1",
			);
			assert.equal(rows.length, 1);
		});
		const [failed] = await failedJobs(db, "identity");
		assert.equal(failed?.task, "mail");
		assert.match(failed?.cause ?? "", /The mail server did not take it/);
		const stored = JSON.stringify(
			await db.query("select j.*, p.payload from identity_jobs.jobs j join identity_jobs._private_jobs p using (id)"),
		);
		assert.doesNotMatch(stored, new RegExp(`hunter2|${ana.email}|token=`));
		const { port } = refusing;
		await refusing.stop();
		const back = await mailServer({ port });
		after(() => back.stop());
		assert.equal(await retryJobs(db, "identity", new Date()), 1);
		await eventually(() =>
			assert.deepEqual(
				back.taken.map(({ to }) => to),
				[[ana.email]],
			),
		);
		await app.stop();
	});
});
