// What a handler of a client's event is: it gets the event, and answers it once.
import type { SocketEventName, SocketPayload, SocketResult } from "../contracts/socket.ts";
import type { Gateway } from "./gateway.ts";
import type { SocketLink } from "./link.ts";

/** The event that is being answered. */
export interface Asked {
	gateway: Gateway;
	link: SocketLink;
	requestId: string;
}

/** Answers by calling `answer` once, at once; or throws. What must come after the answer, the handler does after it. */
export type Run<E extends SocketEventName> = (
	asked: Asked,
	payload: SocketPayload<E>,
	answer: (result: SocketResult<E>) => void,
) => void | Promise<void>;

/** A handler of some event, as the dispatcher runs it: what it is given was read by the rules of that very event. */
export type AnyRun = (asked: Asked, payload: never, answer: (result: unknown) => void) => void | Promise<void>;
