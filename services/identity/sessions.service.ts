// A person's open sessions, and ending one of them.
import { pageById, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { shownSession } from "./domain/device.ts";
import { identityNode, revokeSessions } from "./node.ts";
import { openSessions, ownsSession } from "./store/sessions.ts";

export default service("sessions", {
	node: identityNode,

	actions: {
		async list(ctx, node) {
			const page = await pageById(ctx.params, (before, limit) => openSessions(node.db, ctx.caller, before, limit, new Date()));
			return { ...page, data: page.data.map(shownSession) };
		},

		async end(ctx, node) {
			const { sessionId } = ctx.params;
			if (!(await ownsSession(node.db, ctx.caller.accountId, sessionId))) throw problem("not-found");
			await node.db.tx((tx) => revokeSessions(node, tx, ctx, { sessionId }, "ended", new Date()));
			return {};
		},
	},
});
