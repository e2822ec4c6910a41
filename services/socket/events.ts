// What clients may say, as one table: each event of contracts/socket.ts and what is done at it. An event that is an action is
// passed on to it as the socket's owner; the others are the door's own. Everybody who is connected is signed in, and may say all of it.
import { contractOf, isActionName } from "../contracts/index.ts";
import { roomOwners, socketEvents } from "../contracts/socket.ts";
import type { OwnEventName } from "../contracts/socket.ts";
import { focus, messageEdit, presenceSet, presenceSubscribe, tokenRefresh, typing } from "./client-handlers.ts";
import type { AnyRun, Run } from "./handler.ts";
import { passOn } from "./pass-on.ts";
import { groupJoin, groupLeave } from "./rooms/join.ts";
import { resume } from "./rooms/resume.ts";

/** The door's own. */
const own: { readonly [E in OwnEventName]: Run<E> } = {
	"group:join": groupJoin,
	"group:leave": groupLeave,
	"message:edit": messageEdit,
	typing,
	"presence:subscribe": presenceSubscribe,
	"presence:set": presenceSet,
	focus,
	resume,
	"token:refresh": tokenRefresh,
};

export const events: Readonly<Record<string, AnyRun>> = { ...passOn(socketEvents), ...own };

/** Throws where a table promises what no contract holds: called at the start, so that it stops it. */
export function checkEvents(
	table: Record<string, { result: object; action?: string }> = socketEvents,
	owners: Record<string, string> = roomOwners,
): void {
	for (const [event, { action }] of Object.entries(table)) {
		if (action === undefined) continue;
		if (!isActionName(action)) throw new Error(`The socket event ${event} names the action ${action}, which is in no contract.`);
		if (!contractOf(action).published) throw new Error(`The socket event ${event} names the action ${action}, which is not published.`);
	}
	for (const [kind, action] of Object.entries(owners))
		if (!isActionName(action)) throw new Error(`The rooms ${kind}: name the action ${action}, which is in no contract.`);
}
