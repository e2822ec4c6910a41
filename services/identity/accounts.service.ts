// Accounts as operators see them.
import { service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { normalizeEmail } from "./domain/login.ts";
import { identityNode } from "./node.ts";
import { overviewOf } from "./store/accounts.ts";
import { profilesOf } from "./store/profiles.ts";

export default service("accounts", {
	node: identityNode,

	actions: {
		async show(ctx, { db }) {
			const account = await overviewOf(db, normalizeEmail(ctx.params.email), new Date());
			if (!account) throw problem("not-found", { detail: "There is no account with this e-mail." });
			return { ...account, profiles: await profilesOf(db, account.id) };
		},
	},
});
