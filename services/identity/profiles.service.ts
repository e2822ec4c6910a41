// Profiles: the faces of an account.
import { pageById, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { identityNode } from "./node.ts";
import { findProfile, profilesOf } from "./store/profiles.ts";

export default service("profiles", {
	node: identityNode,

	actions: {
		mine: (ctx, { db }) => pageById(ctx.params, (after, limit) => profilesOf(db, ctx.caller.accountId, after, limit)),

		async show(ctx, node) {
			const profile = await findProfile(node.db, ctx.params.profileId);
			if (!profile) throw problem("not-found");
			return profile;
		},
	},
});
