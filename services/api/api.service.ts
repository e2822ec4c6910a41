// The HTTP door: moleculer-web with its own server, parsers and direct mapping switched off. What it answers is the table
// in routes/, how is the chain in chain.ts; here they are put together.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context, Service } from "moleculer";
import ApiGateway from "moleculer-web";
import { door, doorHealth } from "../../mixins/door.ts";
import { processHealth } from "../../mixins/health.ts";
import { limiterOf } from "../../mixins/limits.ts";
import { defineService } from "../../mixins/moleculer.ts";
import { implement } from "../../mixins/service.ts";
import { keyFor } from "../../mixins/secret.ts";
import { allowedOrigins } from "../../mixins/origins.ts";
import { settings } from "../../mixins/settings.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { problem } from "../contracts/errors.ts";
import { allActions } from "../contracts/index.ts";
import { asyncapi } from "../contracts/asyncapi.ts";
import { serverEvents, socketEvents } from "../contracts/socket.ts";
import { addressReader } from "../../mixins/address.ts";
import { makeAnswers } from "./answers.ts";
import type { Answers, Exchange } from "./answers.ts";
import { makeChain } from "./chain.ts";
import { makeCookies } from "./session-cookies.ts";
import { makeCors } from "./cors.ts";
import type { Cors } from "./cors.ts";
import { openapi } from "./openapi.ts";
import { makeQuotas } from "./quotas.ts";
import { makeRouter } from "./router.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import type { Router } from "./router.ts";
import { routes } from "./routes/index.ts";

/** What this service keeps about itself between requests. */
interface ApiService extends Service {
	router: Router;
	answers: Answers;
	cors: Cors;
	chain: ReturnType<typeof makeChain>;
	/** Whether each request is logged; asked before a line is made of it. */
	tells: boolean;
	regenerateAllAutoAliases(): void;
	httpHandler(req: IncomingMessage, res: ServerResponse): void;
	begin(exchange: Exchange): Promise<void>;
	answer(ctx: Context<{ req: Request }>): Promise<void>;
	rowOf(exchange: Exchange): { route: CompiledRoute; values: string[] };
	preflight(exchange: Exchange): void;
	fail(exchange: Exchange, error: unknown): void;
}
type Rest = (params: { req: IncomingMessage; res: ServerResponse }, options: { requestID: string }) => Promise<unknown>;
type Request = IncomingMessage & { exchange: Exchange };

/** Made at the first question, for each address once. */
function remembered<T>(make: (publicUrl: string) => T): (publicUrl: string) => T {
	const made = new Map<string, T>();
	return (publicUrl) => {
		const document = made.get(publicUrl) ?? make(publicUrl);
		made.set(publicUrl, document);
		return document;
	};
}
const httpDocument = remembered((publicUrl) => openapi({ routes, publicUrl }));
const socketDocument = remembered((publicUrl) => asyncapi({ socketEvents, serverEvents, publicUrl }));

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);

function requestIdOf({ headers }: IncomingMessage): string {
	const given = headers["x-request-id"] ?? headers["x-correlation-id"];
	return typeof given === "string" && REQUEST_ID.test(given) ? given : randomUUID();
}

export default defineService<ApiService>({
	name: "api",
	mixins: [ApiGateway],

	settings: {
		// The process's one server is mixins/door.ts: it listens when everything is ready.
		server: false,
		logRequest: null,
		logRequestParams: null,
		logResponse: null,
		logRouteRegistration: null,
		routes: [
			{
				path: "/",
				mappingPolicy: "restrict",
				bodyParsers: false,
				logging: false,
				aliases: Object.fromEntries(routes.map(({ method, path, action }) => [`${method} ${path}`, action])),
			},
		],
	},

	actions: {
		// moleculer-web's own: they tell and change the routes, which is nobody's business.
		listAliases: false,
		addRoute: false,
		removeRoute: false,

		// Its root of every request's calls stays, with what it tells the tracer. What it does is ours: moleculer-web would
		// try the patterns one after another and read the body before it asks who sends it.
		rest: {
			handler(ctx: Context<{ req: Request }>) {
				return (this as ApiService).answer(ctx);
			},
		},

		...implement("api", {
			live: () => ({ status: "ok" as const }),
			ready: (ctx) => processHealth(ctx.broker),
			health: (ctx) => doorHealth(ctx.broker),
			openapi: (ctx) => httpDocument(settings(ctx.broker).PUBLIC_URL),
			asyncapi: (ctx) => socketDocument(settings(ctx.broker).PUBLIC_URL),
		}),
	},

	methods: {
		/** Every request begins here. */
		httpHandler(req: IncomingMessage, res: ServerResponse): void {
			const { url = "/" } = req;
			const mark = url.indexOf("?");
			const path = mark === -1 ? url : url.slice(0, mark);
			const query = mark === -1 ? undefined : url.slice(mark + 1);
			const exchange: Exchange = {
				req,
				res,
				path,
				query,
				requestId: requestIdOf(req),
				extra: [...this.cors.headers(req.headers.origin)],
				oauth: false,
				refusal: undefined,
			};
			(req as Request).exchange = exchange;
			this.begin(exchange).catch((error: unknown) => this.fail(exchange, error));
		},

		async begin(exchange: Exchange): Promise<void> {
			const { req, res, requestId } = exchange;
			if (req.headers.host === undefined && req.httpVersion !== "1.0")
				throw problem("malformed", { detail: "The Host header is missing." });
			if (req.method === "OPTIONS") this.preflight(exchange);
			else await (this.actions.rest as Rest)({ req, res }, { requestID: requestId });
		},

		async answer(ctx: Context<{ req: Request }>): Promise<void> {
			const { exchange } = ctx.params.req;
			const { route, values } = this.rowOf(exchange);
			exchange.oauth = route.row.oauth === true;
			await this.chain(ctx, exchange, route, values);
			if (this.tells)
				this.logger.debug("request answered", { requestId: exchange.requestId, route: route.id, status: exchange.res.statusCode });
		},

		/** The row of a request. Throws 404, the same for all that is not there, and 405 with Allow. */
		rowOf({ req, path }: Exchange) {
			const found = this.router.find(req.method ?? "GET", withoutSlash(path));
			if (!found) throw problem("not-found");
			if (found.kind === "wrong-method") throw problem("method-not-allowed", { allow: found.allow });
			return found;
		},

		preflight(exchange: Exchange): void {
			const allow = this.router.allowed(withoutSlash(exchange.path));
			if (!allow) throw problem("not-found");
			exchange.extra.length = 0;
			exchange.extra.push("Allow", allow, ...this.cors.preflight(exchange.req.headers.origin, allow));
			this.answers.send(exchange, 204, undefined);
		},

		fail(exchange: Exchange, error: unknown): void {
			const { status, code } = this.answers.fail(exchange, error);
			const where = { requestId: exchange.requestId, method: exchange.req.method, path: exchange.path, status, code };
			if (status === 500) this.logger.error("request failed", where, { error });
			else if (status > 500) this.logger.warn("request refused", where);
			else this.logger.debug("request refused", where);
		},
	},

	created() {
		const env = settings(this.broker);
		const entrance = door(this.broker);
		const verifier = tokens(this.broker);
		const origins = new Set(allowedOrigins(this.broker));
		const home = new URL(env.PUBLIC_URL).pathname.replace(/\/+$/, "");
		this.cors = makeCors((origin) => origins.has(origin));
		this.answers = makeAnswers({ https: env.NODE_ENV === "production" && env.PUBLIC_URL.startsWith("https:") });
		this.tells = env.LOG_LEVEL === "debug" || env.LOG_LEVEL === "trace";
		// moleculer-web would tell everybody, half a second later and even after the end, that nothing has changed.
		this.regenerateAllAutoAliases = () => {};
		this.router = makeRouter(routes, allActions);
		this.chain = makeChain({
			answers: this.answers,
			quotas: makeQuotas(env.RATE_LIMIT_FACTOR, (name, quota) => limiterOf(this.broker, name, quota)),
			verify: (token) => verifier.verify(token),
			addressOf: addressReader(env.TRUST_PROXY),
			cookies: makeCookies({
				secret: keyFor(env.SECRET_KEY, "CSRF tokens of sessions in cookies"),
				secure: env.PUBLIC_URL.startsWith("https:"),
				home,
				ttlRefresh: env.TTL_REFRESH,
				isAllowed: (origin) => origins.has(origin),
			}),
			secret: keyFor(env.SECRET_KEY, "fingerprints of what is asked with an Idempotency-Key"),
			https: env.PUBLIC_URL.startsWith("https:"),
			home,
		});
		entrance.onRequest((req, res) => this.httpHandler(req, res));
	},
});
