// The load of the identity benchmark, in a process of its own: people who sign in, or use their refresh tokens, so many at a time.
import { Agent, request } from "node:http";
import { serve } from "../support/children.ts";
import { percentile } from "../support/figures.ts";

export type IdentityAsk =
	| { kind: "login"; url: string; emails: string[]; password: string; parallel: number; ms: number }
	/** Each is used once; its successor after that. Answers the last of each. */
	| { kind: "refresh"; url: string; refreshTokens: string[]; ms: number };

export interface IdentityRound {
	/** Answers a second. */
	perSecond: number;
	p50: number;
	p99: number;
	/** This process's share of one core. */
	load: number;
	refreshTokens: string[];
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

function post<T>(url: string, path: string, body: object): Promise<T> {
	const text = JSON.stringify(body);
	const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
	return new Promise((resolve, reject) => {
		const asked = request(new URL(path, url), { method: "POST", agent, headers }, (res) => {
			let answer = "";
			res.setEncoding("utf8").on("data", (chunk) => {
				answer += chunk;
			});
			res.once("end", () =>
				res.statusCode === 200 ? resolve(JSON.parse(answer) as T) : reject(new Error(`${path} answered ${res.statusCode}: ${answer}`)),
			);
		});
		asked.once("error", reject).end(text);
	});
}

/** Runs lanes side by side until the time is over, each one request after the other; `next` is told which lane and which turn. */
async function lanes(
	count: number,
	ms: number,
	next: (lane: number, turn: number) => Promise<void>,
): Promise<Omit<IdentityRound, "refreshTokens">> {
	const waits: number[] = [];
	const processor = process.cpuUsage();
	const began = performance.now();
	await Promise.all(
		Array.from({ length: count }, async (_, lane) => {
			for (let turn = 0; ; turn++) {
				const sent = performance.now();
				if (sent >= began + ms) return;
				await next(lane, turn);
				waits.push(performance.now() - sent);
			}
		}),
	);
	const seconds = (performance.now() - began) / 1000;
	const { user, system } = process.cpuUsage(processor);
	return {
		perSecond: waits.length / seconds,
		p50: percentile(waits, 0.5),
		p99: percentile(waits, 0.99),
		load: (user + system) / 1e6 / seconds,
	};
}

serve<IdentityAsk, IdentityRound>(async (ask) => {
	if (ask.kind === "login") {
		const { url, emails, password, parallel, ms } = ask;
		const round = await lanes(parallel, ms, (lane, turn) =>
			post(url, "/api/auth/login", { email: emails[(lane + turn * parallel) % emails.length], password }),
		);
		return { ...round, refreshTokens: [] };
	}
	const refreshTokens = [...ask.refreshTokens];
	const round = await lanes(refreshTokens.length, ask.ms, async (lane) => {
		const { tokens } = await post<{ tokens: { refreshToken: string } }>(ask.url, "/api/auth/refresh", {
			refreshToken: refreshTokens[lane],
		});
		refreshTokens[lane] = tokens.refreshToken;
	});
	return { ...round, refreshTokens };
});
