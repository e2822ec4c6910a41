// What a client is told of a fault of ours is that there was one: what it was, stands in the log.
import { isProblem, toProblem } from "../contracts/errors.ts";
import type { Gateway } from "./gateway.ts";

/** Logs an error that is none of ours to say and goes to a client as a 500 or above; answers it as it is. `what` has failed. */
export function logged(gateway: Gateway, what: string, requestId: string, error: unknown): unknown {
	if (!isProblem(error) && toProblem(error, { instance: "", requestId }).status >= 500)
		gateway.broker.logger.error(`${what} failed.`, { requestId, error });
	return error;
}
