// One event of a client, from its arrival to its acknowledgement: limits, payload, handler, `(error, result)`.
import { randomUUID } from "node:crypto";
import { problem, toProblem } from "../contracts/errors.ts";
import { compile, object } from "../contracts/schema.ts";
import type { Access } from "../contracts/scopes.ts";
import type { Checked } from "../contracts/schema.ts";
import { socketEvents } from "../contracts/socket.ts";
import { maySay } from "./access.ts";
import type { AnyRun } from "./handler.ts";
import type { Gateway } from "./gateway.ts";
import type { SocketLink } from "./link.ts";
import { logged } from "./logged.ts";

/** What Socket.IO gives a client's acknowledgement as: answers once, further calls do nothing. */
type Ack = (error: unknown, result?: unknown) => void;

const checkers = new Map<string, (payload: unknown) => Checked<unknown>>(
	Object.entries(socketEvents).map(([event, { payload }]) => [event, compile(object(payload))]),
);
const accessOf = new Map(Object.entries(socketEvents).map(([event, { access }]) => [event, access]));

/** Splits what came with an event. Clients cannot send functions: one at the end is Socket.IO's acknowledgement. */
export function split(args: unknown[]): { payloads: unknown[]; ack: Ack | undefined } {
	const last = args.at(-1);
	return typeof last === "function" ? { payloads: args.slice(0, -1), ack: last as Ack } : { payloads: args, ack: undefined };
}

/** Answers an event that is in no table. */
export function unknownEvent(gateway: Gateway, args: unknown[]): void {
	gateway.unknownEvents++;
	split(args).ack?.(toProblem(problem("unknown-event"), { instance: "/socket.io", requestId: randomUUID() }));
}

/** Reads the payload by the contract, or throws 422. Never a step towards any node. */
function read(event: string, payloads: unknown[]): unknown {
	const [payload, ...others] = payloads;
	if (others.length > 0) throw problem("validation", { detail: "An event takes one payload and an acknowledgement." });
	if (hasBinary(payload, 3)) throw problem("validation", { detail: "Binary data is not accepted." });
	const checked = (checkers.get(event) as (payload: unknown) => Checked<unknown>)(payload);
	if (!checked.ok) throw problem("validation", { errors: checked.errors });
	return checked.value;
}

/** Payloads are flat: deeper than their deepest list there is nothing that a rule could let through. */
function hasBinary(value: unknown, deeper: number): boolean {
	if (typeof value !== "object" || value === null) return false;
	if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return true;
	return deeper > 0 && Object.values(value).some((inner) => hasBinary(inner, deeper - 1));
}

export async function dispatch(gateway: Gateway, link: SocketLink, event: string, run: AnyRun, args: unknown[]): Promise<void> {
	const { payloads, ack } = split(args);
	const requestId = randomUUID();
	const refuse = (error: unknown): void => ack?.(toProblem(error, { instance: `/socket.io/${event}`, requestId }));
	if (link.ended) return refuse(problem("draining"));
	const { allowed, retrySeconds } = gateway.events.take(link.id);
	if (!allowed || link.inFlight >= gateway.limits.inFlight) return tooMany(gateway, link, allowed ? 1 : retrySeconds, refuse);
	if (link.hopeless()) return link.cut();
	link.refusals = 0;
	link.inFlight++;
	try {
		maySay(accessOf.get(event) as Access, link.principal);
		// What was read is what this event's handler takes: both go by the event's row of the contract.
		await run({ gateway, link, requestId }, read(event, payloads) as never, (result: unknown) => ack?.(null, result));
	} catch (error) {
		refuse(logged(gateway, `The socket event ${event}`, requestId, error));
	} finally {
		link.answered();
	}
}

function tooMany(gateway: Gateway, link: SocketLink, retryAfter: number, refuse: (error: unknown) => void): void {
	link.refusals++;
	if (link.refusals > gateway.limits.refusals) link.end({ reason: "kicked" });
	else if (link.hopeless()) link.cut();
	else refuse(problem("rate-limited", { retryAfter }));
}
