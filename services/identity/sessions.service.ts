// A person's open sessions, and ending one of them.
import { decodeCursor, pageOf } from "../../mixins/cursor.ts";
import { defineService, implement } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { identityNode, revokeSessions } from "./node.ts";
import { openSessions, ownsSession } from "./store.ts";

export default defineService({
	name: "sessions",

	actions: implement("sessions", {
		async list(ctx) {
			const { limit, cursor } = ctx.params;
			const { accountId, sessionId } = ctx.caller;
			const [before] = decodeCursor(cursor, ["uuid"]) ?? [null];
			const rows = await openSessions(identityNode(ctx.broker).db, accountId, before, limit + 1, new Date());
			return pageOf(
				rows,
				limit,
				(row) => [row.id],
				(row) => ({
					...row,
					createdAt: row.createdAt.toISOString(),
					lastUsedAt: row.lastUsedAt.toISOString(),
					current: row.id === sessionId,
				}),
			);
		},

		async end(ctx) {
			const node = identityNode(ctx.broker);
			const { sessionId } = ctx.params;
			if (!(await ownsSession(node.db, ctx.caller.accountId, sessionId))) throw problem("not-found");
			await node.db.tx((tx) => revokeSessions(node, tx, ctx, { sessionId }, "ended", new Date()));
			return {};
		},
	}),
});
