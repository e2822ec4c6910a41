// What happens to a request that has a row, in this order: who asks, how often, may they, what do they say, the action,
// the answer. Nothing is read of a body before its sender may send it.
import type { Context } from "moleculer";
import { problem } from "../contracts/errors.ts";
import type { Meta, Principal } from "../contracts/index.ts";
import { limitKey } from "../../mixins/address.ts";
import { cookieOf } from "../../mixins/cookies.ts";
import type { Verify } from "./access.ts";
import { authorize, basicOf, bearerOf } from "./access.ts";
import type { Answers, Exchange, FileHead } from "./answers.ts";
import { readBody, readRaw } from "./body.ts";
import type { Params } from "./body.ts";
import { setCookie } from "./cookies.ts";
import type { SessionCookies, Tokens } from "./session-cookies.ts";
import { CSRF_HEADER } from "./session-cookies.ts";
import { takeFile } from "./file.ts";
import { fingerprint, parseKey } from "./idempotency-key.ts";
import { bodyParams, pathParams, queryParams } from "./params.ts";
import type { Quotas } from "./quotas.ts";
import { LOCATION_FIELD } from "./compiled-route.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import type { Route } from "./route.ts";

export interface ChainParts {
	answers: Answers;
	quotas: Quotas;
	verify: Verify;
	addressOf: (req: Exchange["req"]) => string;
	cookies: SessionCookies;
	/** Keys the fingerprints of what was asked with an Idempotency-Key. */
	secret: Buffer;
	/** Clients come over https: cookies do not go without. */
	https: boolean;
	/** The path of PUBLIC_URL, "" for none. */
	home: string;
}

type Answer = Record<string, unknown>;
const MAX_USER_AGENT = 512;
/** Methods that change nothing: no page needs to know a secret for them. */
const SAFE: readonly string[] = ["GET"];

/** Those of these headers that a request has, by their names in lower case. */
const named = ({ headers }: Exchange["req"], names: readonly string[]): Record<string, string> =>
	Object.fromEntries(names.flatMap((name) => (typeof headers[name] === "string" ? [[name, headers[name]]] : [])));

/** Takes `cookie` out of what a query says: it is for the door, not for the action. Throws 422 `validation`. */
function takeCookie(params: Params): boolean {
	const { cookie = false } = params;
	delete params.cookie;
	if (typeof cookie === "boolean") return cookie;
	throw problem("validation", { errors: [{ path: "cookie", code: "type", message: "must be true or false" }] });
}

/** A client says who it is in one way only (RFC 6749, 2.3). */
function withBasic(basic: { client_id: string; client_secret: string }, { client_id, client_secret }: Params): Params {
	if (client_secret !== undefined || (client_id !== undefined && client_id !== basic.client_id))
		throw problem("malformed", { detail: "The client says who it is in the header and in the body." });
	return basic;
}

export function makeChain({ answers, quotas, verify, addressOf, cookies, secret, https, home }: ChainParts) {
	/**
	 * Of a header or else of a cookie. A token that is not good counts as none, and so does a cookie where nobody needs a token
	 * and the page has not said that it knows the session. Throws 403 `csrf` and `origin`.
	 */
	const identify = async (exchange: Exchange, row: Route, address: string): Promise<Principal | undefined> => {
		const { req } = exchange;
		const bearer = bearerOf(req);
		const cookie = bearer === undefined ? cookies.access(req) : undefined;
		const safe = SAFE.includes(row.method);
		if (cookie !== undefined && !safe && row.access === "anyone" && req.headers[CSRF_HEADER] === undefined) return undefined;
		const token = cookie ?? bearer;
		if (token === undefined) return undefined;
		try {
			if (token === null) throw problem("invalid-token");
			const principal = await verify(token);
			if (cookie !== undefined) {
				exchange.byCookie = true;
				if (!safe) {
					cookies.mustBeOurs(req);
					cookies.mustKnow(req, principal.sessionId);
				}
			}
			return principal;
		} catch (error) {
			if ((error as { code?: unknown }).code !== 401) throw error;
			exchange.refusal = error;
			await quotas.spend("refused", limitKey(address), []);
			return undefined;
		}
	};

	/** A refresh token that comes in its cookie: with the CSRF token of a session, which must be its own (services/identity/sign-in/refresh.ts). */
	const renewal = (exchange: Exchange, params: Params): Pick<Meta, "cookieSession"> => {
		const { req } = exchange;
		if (params.refreshToken !== undefined || req.headers.authorization !== undefined) return {};
		const token = cookies.refresh(req);
		if (token === undefined) return {};
		exchange.byCookie = true;
		cookies.mustBeOurs(req);
		const cookieSession = cookies.mustKnow(req);
		params.refreshToken = token;
		return { cookieSession };
	};

	/** A session of cookies that is over leaves none behind. */
	const leavingNone = async <T>(exchange: Exchange, row: Route, work: Promise<T>): Promise<T> => {
		const over = row.session === "end" || row.session === "renew";
		try {
			const answer = await work;
			if (row.session === "end") exchange.extra.push(...cookies.clear());
			return answer;
		} catch (error) {
			if (over && exchange.byCookie && (error as { code?: unknown }).code === 401) exchange.extra.push(...cookies.clear());
			throw error;
		}
	};

	const idempotencyKeyOf = ({ req }: Exchange, { row }: CompiledRoute): string | undefined => {
		if (row.method !== "POST") return undefined;
		const header = req.headers["idempotency-key"];
		if (header === undefined && row.idempotency === "required") throw problem("idempotency-key-missing");
		return header === undefined ? undefined : parseKey(String(header));
	};

	const reply = (exchange: Exchange, route: CompiledRoute, given: Answer, meta: Meta, intoCookies: boolean): void => {
		const { row } = route;
		let answer = given;
		if (intoCookies && given.tokens) {
			const { tokens, ...rest } = given;
			exchange.extra.push(...cookies.put(tokens as Tokens));
			answer = rest;
		}
		let status: number = row.down && answer.status === "down" ? row.down : route.status;
		let shown = answer;
		if (row.replay) {
			const { replayed, ...rest } = answer;
			shown = rest;
			if (replayed) {
				status = 200;
				meta.$replyReplayed = true;
			}
		}
		if (row.details && !meta.principal?.scopes.includes(row.details)) shown = { status: shown.status };
		if (meta.$replyReplayed) exchange.extra.push("Idempotent-Replayed", "true");
		if (row.location && status === 201)
			exchange.extra.push(
				"Location",
				row.location.replace(LOCATION_FIELD, (_, field: string) => encodeURIComponent(String(answer[field]))),
			);
		if (row.cookie && typeof answer[row.cookie.param] === "string")
			exchange.extra.push("Set-Cookie", setCookie(row.cookie, answer[row.cookie.param] as string, { secure: https, home }));
		if (row.redirect) exchange.extra.push("Location", String(answer.location));
		answers.send(exchange, status, status === 204 || row.redirect ? undefined : JSON.stringify(shown), row.cache);
	};

	/** A file whose head was answered: its pieces come in base64, each small enough for any way between two processes. */
	const download = async (ctx: Context, exchange: Exchange, action: string, params: Params, head: Answer): Promise<void> => {
		// The start has made sure that it has these fields (compiled-route.ts), and the contract of what they are.
		const { parts, ...file } = head as unknown as FileHead & { parts: number };
		const piece = async (part: number): Promise<Buffer> => {
			const { bytes } = await ctx.call<{ bytes: string }, Params>(action, { ...params, part });
			return Buffer.from(bytes, "base64");
		};
		// The first before anything is said: where it is not to be had, that is the answer.
		const first = parts > 0 && exchange.req.method !== "HEAD" ? await piece(0) : undefined;
		let part = 0;
		await answers.file(exchange, file, async () => {
			if (part === parts) return undefined;
			return part++ === 0 ? first : piece(part - 1);
		});
	};

	return async (ctx: Context, exchange: Exchange, route: CompiledRoute, values: readonly string[]): Promise<void> => {
		const { req, res, query } = exchange;
		const { row } = route;
		const address = addressOf(req);
		const basic = row.client ? basicOf(req) : undefined;
		const principal = basic ? undefined : await identify(exchange, row, address);
		const caller = principal ? principal.profileId : limitKey(address);
		await quotas.spend(route.limit, row.limit === "auth" ? limitKey(address) : caller, exchange.extra);
		if (!principal && row.access !== "anyone" && exchange.refusal) throw exchange.refusal;
		authorize(row, principal);

		const body = route.hasBody && !row.raw && !row.file ? await readBody(req, res, row.oauth === true) : undefined;
		const params = pathParams(route, values);
		if (row.fixed) Object.assign(params, row.fixed);
		if (row.raw) Object.assign(params, { body: await readRaw(req, res), headers: named(req, row.raw) });
		if (row.cookie) params[row.cookie.param] = cookieOf(req, row.cookie.name);
		if (query !== undefined) queryParams(route, query, params);
		// RFC 6749, 3.2: what is not known there is passed over.
		if (row.oauth && body) for (const name of Object.keys(body)) if (!route.params.has(name)) delete body[name];
		if (body) bodyParams(route, body, params);
		if (basic) Object.assign(params, withBasic(basic, params));
		const intoCookies = row.session !== undefined && takeCookie(params);
		if (intoCookies) cookies.mustBeOurs(req);
		const renewed = row.session === "renew" ? renewal(exchange, params) : {};

		const userAgent = (req.headers["user-agent"] ?? "").slice(0, MAX_USER_AGENT);
		const meta: Meta = Object.assign(ctx.meta, { address, userAgent, ...(principal && { principal }), ...renewed });
		const key = idempotencyKeyOf(exchange, route);
		const file = row.file && (await takeFile(ctx, exchange, row.file));
		// A file is told apart by its bytes: where they wait is another place each time.
		const asked = file ? { ...params, digest: file.digest } : params;
		if (file) Object.assign(params, file.params);
		if (key !== undefined) {
			const scope = `${principal ? principal.profileId : address} ${route.id}`;
			Object.assign(meta, { idempotency: { key, scope, hash: fingerprint(secret, asked) } });
		}
		const answering = leavingNone(exchange, row, ctx.call<Answer, Params>(row.action, params));
		const answer = await (file ? file.untilAnswered(answering, meta) : answering);
		if (row.download) await download(ctx, exchange, row.download, params, answer);
		else reply(exchange, route, answer, meta, row.session !== undefined && (intoCookies || exchange.byCookie === true));
	};
}
