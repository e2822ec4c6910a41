// Whether the database of a variable lets us in: waits where it may only be a matter of start order, and says in one sentence which
// variable is wrong where it is not. Nothing here tells a password.
import pg from "pg";
import { refusal } from "./refusal.ts";

/** For so long (ms) a start waits for servers that are started beside it, as containers are. */
export const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
const CONNECT_MS = 5_000;

/** What a server says, or does not say, while it is starting, being replaced, or not yet known by its name. */
const maybeLater =
	/^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|57P0[1235]|53300|08\w{3})$|^(timeout expired|Connection terminated)/;
const loginRefused = /^28/;

/** One way to a database, as the operator gave it. */
export interface Way {
	/** Where it was given. */
	variable: string;
	url: string;
	/** The login is one that the migration makes: that it does not exist yet is a matter of start order too. */
	loginComes?: string;
}

export interface Patience {
	ms: number;
	/** Hears once that somebody has to be waited for. */
	say(sentence: string): void;
}

/** A connection that `look` has looked over; waits, and throws a refusal in the end. `look` answers what is still missing. */
export async function enter(way: Way, patience: Patience, look: (client: pg.Client) => Promise<string | undefined>): Promise<void> {
	const until = performance.now() + patience.ms;
	for (let pause = FIRST_PAUSE_MS, told = false; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
		const missing = await attempt(way, look);
		if (missing === undefined) return;
		if (performance.now() + pause > until)
			throw refusal(patience.ms > 0 ? `${missing} Waited ${Math.round(patience.ms / 1000)} s.` : missing);
		if (!told) patience.say(`${missing} Waiting.`);
		told = true;
		await new Promise((resolve) => setTimeout(resolve, pause));
	}
}

/** Answers a sentence about what may come by itself; throws one about what will not. */
async function attempt(way: Way, look: (client: pg.Client) => Promise<string | undefined>): Promise<string | undefined> {
	const client = new pg.Client({ connectionString: way.url, application_name: "reloop start", connectionTimeoutMillis: CONNECT_MS });
	client.on("error", () => {});
	try {
		await client.connect();
		return await look(client);
	} catch (error) {
		return sentenceFor(way, error as Error & { code?: string });
	} finally {
		await client.end().catch(() => {});
	}
}

function sentenceFor({ variable, url, loginComes }: Way, error: Error & { code?: string }): string {
	const { host, pathname, username } = new URL(url);
	const words = error.message || error.code || "no reason given";
	if (maybeLater.test(error.code ?? "") || maybeLater.test(error.message))
		return `${variable}: the database at ${host} does not answer (${words}).`;
	if (loginRefused.test(error.code ?? "")) {
		const sentence = `${variable}: the database at ${host} refuses ${username ? `the user ${decodeURIComponent(username)}` : "us"} (${words}).`;
		if (loginComes) return `${sentence} ${loginComes}`;
		throw refusal(sentence, error);
	}
	if (error.code === "3D000") throw refusal(`${variable}: at ${host} there is no database ${pathname.slice(1)}.`, error);
	throw refusal(`${variable}: the database at ${host} does not let us in (${words}).`, error);
}
