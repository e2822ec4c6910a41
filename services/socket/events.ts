// What clients may say, as one table: each event of contracts/socket.ts and where it goes. A row that names an action calls
// it as the socket's owner; the others are the door's own. Everybody who is connected is signed in, and may say all of it.
import { contractOf, isActionName } from "../contracts/index.ts";
import type { ActionName, Answer, ParamsIn } from "../contracts/index.ts";
import { roomOwners, socketEvents } from "../contracts/socket.ts";
import type { SocketEventName, SocketPayload, SocketResult } from "../contracts/socket.ts";
import { presenceSet, presenceSubscribe, tokenRefresh, typing } from "./client-handlers.ts";
import type { Run } from "./handler.ts";
import { groupRoom } from "./room-name.ts";
import { groupJoin, groupLeave, resume } from "./room-handlers.ts";

export interface EventRow<E extends SocketEventName = never> {
	/** The action it ends in, if it is one. */
	action?: ActionName;
	run: Run<E>;
}

interface Passed<E extends SocketEventName, A extends ActionName> {
	params: (payload: SocketPayload<E>) => ParamsIn<A>;
	result: (answer: Answer<A>, payload: SocketPayload<E>) => SocketResult<E>;
}

/** A row that passes the event on to an action. */
function pass<E extends SocketEventName, const A extends ActionName>(_event: E, action: A, { params, result }: Passed<E, A>): EventRow<E> {
	return {
		action,
		async run({ gateway, link, requestId }, payload, answer) {
			const answered = await gateway.call(link, action, params(payload), requestId);
			answer(result(answered, payload));
		},
	};
}

export const events: { readonly [E in SocketEventName]: EventRow<E> } = {
	"group:join": { run: groupJoin },
	"group:leave": { run: groupLeave },
	"message:send": pass("message:send", "messages.post", {
		params: (payload) => payload,
		result: ({ room, seq, id, at, replayed }) => ({ room, seq, id, at, replayed }),
	}),
	"message:edit": pass("message:edit", "messages.edit", {
		params: (payload) => payload,
		result: ({ eventSeq }, { groupId }) => ({ room: groupRoom(groupId), seq: eventSeq }),
	}),
	"message:delete": pass("message:delete", "messages.remove", {
		params: (payload) => payload,
		result: ({ room, seq }) => ({ room, seq }),
	}),
	"message:react": pass("message:react", "messages.react", {
		params: (payload) => payload,
		result: ({ room, seq }) => ({ room, seq }),
	}),
	read: pass("read", "messages.read", {
		params: (payload) => payload,
		result: ({ groupId, seq, unread }) => ({ groupId, seq, unread }),
	}),
	typing: { run: typing },
	"presence:subscribe": { run: presenceSubscribe },
	"presence:set": { action: "presence.set", run: presenceSet },
	resume: { run: resume },
	"token:refresh": { run: tokenRefresh },
};

/** Throws where a table promises what no contract holds: called at the start, so that it stops it. */
export function checkEvents(table: Record<string, { action?: string }> = events, owners: Record<string, string> = roomOwners): void {
	for (const [event, { action }] of Object.entries(table)) {
		if (!Object.hasOwn(socketEvents, event)) throw new Error(`The socket table has the event ${event}, which is in no contract.`);
		if (action === undefined) continue;
		if (!isActionName(action)) throw new Error(`The socket event ${event} names the action ${action}, which is in no contract.`);
		if (!contractOf(action).published) throw new Error(`The socket event ${event} names the action ${action}, which is not published.`);
	}
	for (const event of Object.keys(socketEvents))
		if (!Object.hasOwn(table, event)) throw new Error(`The socket event ${event} of the contract is not in the socket table.`);
	for (const [kind, action] of Object.entries(owners))
		if (!isActionName(action)) throw new Error(`The rooms ${kind}: name the action ${action}, which is in no contract.`);
}
