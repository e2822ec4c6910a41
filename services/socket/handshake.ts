// Who may connect: from an allowed origin, with a valid token, within the limits, and not while this process is leaving.
import { randomUUID } from "node:crypto";
import type { Socket } from "socket.io";
import { COOKIES, cookieOf } from "../../mixins/cookies.ts";
import { door } from "../../mixins/door.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { problem, toProblem } from "../contracts/errors.ts";
import { mayConnect } from "./access.ts";
import type { Gateway } from "./gateway.ts";
import { SocketLink } from "./link.ts";

const LONGEST_TOKEN = 8192;

/** The link of a socket that may come in; throws a problem for one that may not. */
export async function admit(
	gateway: Gateway,
	socket: Socket,
	addressOf: (socket: Socket) => string,
	origins: readonly string[],
): Promise<SocketLink> {
	const { broker, limits } = gateway;
	if (door(broker).draining) throw problem("draining");
	// No page, no Origin: then there is no user's browser that could be tricked.
	const { origin } = socket.handshake.headers;
	if (origin !== undefined && !origins.includes(origin)) throw problem("origin");
	const address = addressOf(socket);
	const { allowed, retrySeconds } = await gateway.handshakes.take(address);
	if (!allowed) throw problem("rate-limited", { retryAfter: retrySeconds });

	const { token: given } = socket.handshake.auth as { token?: unknown };
	const token = given ?? cookieOf(socket.handshake, COOKIES.access);
	if (token === undefined || token === null) throw problem("unauthenticated");
	// A browser sends its cookies whoever's page it is: only a page that says it is one of ours may come in with them.
	if (token !== given && origin === undefined) throw problem("origin");
	if (typeof token !== "string" || token.length > LONGEST_TOKEN) throw problem("invalid-token");
	const { exp, kid, ...principal } = await tokens(broker).verify(token);
	if (principal.client) throw problem("needs-person");
	mayConnect(principal);

	// From here to `add` without a pause: two at once must not both take the last place.
	if (gateway.socketsFrom(address) >= limits.socketsPerAddress)
		throw problem("rate-limited", { detail: "This address has too many open sockets.", retryAfter: 10 });
	if (gateway.socketsOf(principal.profileId) >= limits.socketsPerProfile)
		throw problem("rate-limited", { detail: "This profile has too many open sockets.", retryAfter: 10 });
	if (socket.conn.readyState !== "open") throw problem("unavailable");
	const link = new SocketLink(socket, {
		principal: Object.freeze(principal),
		expiresAt: exp * 1000,
		kid,
		address,
		userAgent: String(socket.handshake.headers["user-agent"] ?? "").slice(0, 512),
		connectionId: `${gateway.instance}|${socket.id}`,
	});
	gateway.add(link);
	// The connection may end before the handshake does; then no `disconnect` follows.
	socket.conn.once("close", () => gateway.remove(link));
	return link;
}

/** What Socket.IO sends as `connect_error`: `data` is the problem. */
export function refusal(error: unknown): Error & { data: unknown } {
	const wire = toProblem(error, { instance: "/socket.io", requestId: randomUUID() });
	return Object.assign(new Error(wire.title), { data: wire });
}
