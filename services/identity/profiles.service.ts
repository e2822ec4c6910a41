// Profiles: the faces of an account.
import { decodeCursor, pageOf } from "../../mixins/cursor.ts";
import { defineService, implement } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { identityNode } from "./node.ts";
import { findProfile, profilesOf } from "./store.ts";

export default defineService({
	name: "profiles",

	actions: implement("profiles", {
		async mine(ctx) {
			const { limit, cursor } = ctx.params;
			const [after] = decodeCursor(cursor, ["uuid"]) ?? [null];
			return pageOf(
				await profilesOf(identityNode(ctx.broker).db, ctx.caller.accountId, after, limit + 1),
				limit,
				(row) => [row.id],
				(row) => row,
			);
		},

		async show(ctx) {
			const profile = await findProfile(identityNode(ctx.broker).db, ctx.params.profileId);
			if (!profile) throw problem("not-found");
			return profile;
		},
	}),
});
