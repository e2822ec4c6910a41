// What happens to a request that has a row, in this order: who asks, how often, may they, what do they say, the action,
// the answer. Nothing is read of a body before its sender may send it.
import type { Context } from "moleculer";
import { problem } from "../contracts/errors.ts";
import type { Meta, Principal } from "../contracts/index.ts";
import { limitKey } from "../../mixins/address.ts";
import type { Verify } from "./access.ts";
import { authorize, bearerOf } from "./access.ts";
import type { Answers, Exchange } from "./answers.ts";
import { readBody, readRaw } from "./body.ts";
import type { Params } from "./body.ts";
import { cookieOf, setCookie } from "./cookies.ts";
import { fingerprint, parseKey } from "./idempotency-key.ts";
import { bodyParams, pathParams, queryParams } from "./params.ts";
import type { Quotas } from "./quotas.ts";
import { LOCATION_FIELD } from "./compiled-route.ts";
import type { CompiledRoute } from "./compiled-route.ts";

export interface ChainParts {
	answers: Answers;
	quotas: Quotas;
	verify: Verify;
	addressOf: (req: Exchange["req"]) => string;
	/** Keys the fingerprints of what was asked with an Idempotency-Key. */
	secret: Buffer;
	/** Clients come over https: cookies do not go without. */
	https: boolean;
}

type Answer = Record<string, unknown>;
const MAX_USER_AGENT = 512;

/** Those of these headers that a request has, by their names in lower case. */
const named = ({ headers }: Exchange["req"], names: readonly string[]): Record<string, string> =>
	Object.fromEntries(names.flatMap((name) => (typeof headers[name] === "string" ? [[name, headers[name]]] : [])));

export function makeChain({ answers, quotas, verify, addressOf, secret, https }: ChainParts) {
	/** Throws 401 where the row needs a token. Where it does not, a bad token counts as none. */
	const identify = async (exchange: Exchange, address: string): Promise<Principal | undefined> => {
		const token = bearerOf(exchange.req);
		if (token === undefined) return undefined;
		try {
			if (token === null) throw problem("invalid-token");
			return await verify(token);
		} catch (error) {
			if ((error as { code?: unknown }).code !== 401) throw error;
			exchange.refusal = error;
			await quotas.spend("refused", limitKey(address), []);
			return undefined;
		}
	};

	const idempotencyOf = (exchange: Exchange, route: CompiledRoute, caller: string, params: Params): Meta["idempotency"] => {
		if (route.row.method !== "POST") return undefined;
		const header = exchange.req.headers["idempotency-key"];
		if (header === undefined) {
			if (route.row.idempotency === "required") throw problem("idempotency-key-missing");
			return undefined;
		}
		return { key: parseKey(String(header)), scope: `${caller} ${route.id}`, hash: fingerprint(secret, params) };
	};

	const reply = (exchange: Exchange, route: CompiledRoute, answer: Answer, meta: Meta): void => {
		const { row } = route;
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
			exchange.extra.push("Set-Cookie", setCookie(row.cookie, answer[row.cookie.param] as string, https));
		if (row.redirect) exchange.extra.push("Location", String(answer.location));
		answers.send(exchange, status, status === 204 || row.redirect ? undefined : JSON.stringify(shown), row.cache);
	};

	return async (ctx: Context, exchange: Exchange, route: CompiledRoute, values: readonly string[]): Promise<void> => {
		const { req, res, query } = exchange;
		const { row } = route;
		const address = addressOf(req);
		const principal = await identify(exchange, address);
		const caller = principal ? principal.profileId : limitKey(address);
		await quotas.spend(route.limit, row.limit === "auth" ? limitKey(address) : caller, exchange.extra);
		if (!principal && row.access !== "anyone" && exchange.refusal) throw exchange.refusal;
		authorize(row, principal);

		const body = route.hasBody && !row.raw ? await readBody(req, res, row.oauth === true) : undefined;
		const params = pathParams(route, values);
		if (row.fixed) Object.assign(params, row.fixed);
		if (row.raw) Object.assign(params, { body: await readRaw(req, res), headers: named(req, row.raw) });
		if (row.cookie) params[row.cookie.param] = cookieOf(req, row.cookie.name);
		if (query !== undefined) queryParams(route, query, params);
		if (body) bodyParams(route, body, params);

		const userAgent = (req.headers["user-agent"] ?? "").slice(0, MAX_USER_AGENT);
		const idempotency = idempotencyOf(exchange, route, principal ? principal.profileId : address, params);
		const meta: Meta = Object.assign(ctx.meta, {
			address,
			userAgent,
			...(principal && { principal }),
			...(idempotency && { idempotency }),
		});
		reply(exchange, route, await ctx.call<Answer, Params>(row.action, params), meta);
	};
}
