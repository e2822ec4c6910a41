// A profile's own room, `profile:<id>`: a numbered log fed by nothing but facts, open to that profile alone.
import { service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { presenceNode } from "./node.ts";

export default service("notifications", {
	node: presenceNode,

	actions: {
		async heads(ctx, node) {
			const known = await node.carrier.heads(ctx.params.keys);
			return { heads: ctx.params.keys.map((key) => known.get(key) ?? 0) };
		},

		async openRoom(ctx, { headOf, log }) {
			const { key, after, limit } = ctx.params;
			if (key !== ctx.caller.profileId) throw problem("not-found");
			const head = await headOf(key);
			if (after !== undefined && after > head) throw problem("seq-ahead", { head });
			return log.opened(key, head, after, limit);
		},
	},
});
