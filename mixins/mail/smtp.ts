// Mails over SMTP: a connection for each, and a bound for every wait, so that a server that hangs holds a job and not the process.
import { createTransport } from "nodemailer";
import type { Deliver } from "./letter.ts";
import { messageOf } from "./letter.ts";

/** How long (ms) is waited for: the connection, the greeting, any answer, and all of it. */
export interface Patience {
	connection: number;
	greeting: number;
	answer: number;
	whole: number;
}
const PATIENCE: Patience = { connection: 10_000, greeting: 10_000, answer: 20_000, whole: 60_000 };

/** To ourselves nothing travels that a certificate would protect; test servers have none that anybody trusts. */
const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127\./.test(host);

/** @param url as config/env/kinds.ts lets it through */
export function overSmtp(url: string, patience: Patience = PATIENCE): Deliver {
	const { protocol, hostname, port, username, password, searchParams } = new URL(url);
	const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
	const transport = createTransport({
		host: hostname.replace(/^\[|\]$/g, ""),
		...(port ? { port: Number(port) } : {}),
		secure: protocol === "smtps:",
		...(user ? { auth: { user, pass } } : {}),
		requireTLS: searchParams.get("requireTLS") === "true",
		ignoreTLS: searchParams.get("ignoreTLS") === "true",
		tls: { rejectUnauthorized: searchParams.get("tls.rejectUnauthorized") !== "false" && !isLoopback(hostname) },
		connectionTimeout: patience.connection,
		greetingTimeout: patience.greeting,
		socketTimeout: patience.answer,
		dnsTimeout: patience.connection,
		// It would log what is said to the server, codes and links with it.
		logger: false,
		debug: false,
	});
	const secrets = [user, pass].filter((text) => text !== "");
	return async (letter, signal) => {
		const bounded = AbortSignal.any([signal, AbortSignal.timeout(patience.whole)]);
		try {
			await transport.sendMail({ ...messageOf(letter, false), signal: bounded });
		} catch (error) {
			throw new Error(causeOf(error, [...secrets, letter.to]));
		}
	};
}

interface Refusal {
	code?: unknown;
	command?: unknown;
	response?: unknown;
	name?: unknown;
}

/** What operators are told: what the server has said, without what it may have been told, nor whom the mail was for: that outlives them. */
function causeOf(error: unknown, secrets: readonly string[]): string {
	const { code, command, response, name } = error as Refusal;
	// What is said while signing in may repeat what was sent, in ways nobody knows.
	const said = /^(AUTH|API)/.test(String(command)) ? "" : String(response ?? "").slice(0, 300);
	const words = [code ?? name, command, said].filter((word) => word !== undefined && word !== "").map(String);
	const hidden = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("base64")]);
	return hidden.reduce((text, secret) => text.replaceAll(secret, "…"), `The mail server did not take it: ${words.join(" ")}`);
}
