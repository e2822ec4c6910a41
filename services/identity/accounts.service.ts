// Accounts as operators see them.
import { service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { normalizeEmail } from "./domain/login.ts";
import { methodsOf } from "./domain/mfa.ts";
import { identityNode } from "./node.ts";
import { overviewOf } from "./store/accounts.ts";
import { shownProfile } from "./profiles/shown.ts";
import { profilesOf } from "./store/profiles.ts";
import { factorsOf } from "./store/second-factors.ts";

export default service("accounts", {
	node: identityNode,

	actions: {
		async show(ctx, { db }) {
			const account = await overviewOf(db, normalizeEmail(ctx.params.email), new Date());
			if (!account) throw problem("not-found", { detail: "There is no account with this e-mail." });
			const factors = await factorsOf(db, account.id);
			const mfa = factors.totp || factors.passkeys > 0;
			return {
				...account,
				mfa,
				factors: methodsOf(factors),
				profiles: (await profilesOf(db, account.id)).map((profile) => shownProfile(ctx.broker, profile)),
			};
		},
	},
});
