// Events that are actions: called as the socket's owner; what the contract names of the answer is acknowledged.
import type { ActionName, ParamsIn } from "../contracts/index.ts";
import type { Rule } from "../contracts/schema.ts";
import type { AnyRun } from "./handler.ts";

/** A handler for each event of a table that names an action. */
export function passOn(table: Readonly<Record<string, { action?: ActionName; result: Rule }>>): Record<string, AnyRun> {
	const rows = Object.entries(table).flatMap(([event, { action, result }]) =>
		action ? [[event, passTo(action, result.type === "object" ? Object.keys(result.props) : [])]] : [],
	);
	return Object.fromEntries(rows);
}

// The payload was read by the action's own rules (contracts/socket.ts, `calls`), so it is what the action takes.
const passTo =
	(action: ActionName, fields: readonly string[]): AnyRun =>
	async ({ gateway, link, requestId }, payload: ParamsIn<ActionName>, answer) => {
		const answered: unknown = await gateway.call(link, action, payload, requestId);
		answer(Object.fromEntries(Object.entries(Object(answered)).filter(([field]) => fields.includes(field))));
	};
