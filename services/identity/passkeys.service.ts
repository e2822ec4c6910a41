// Passkeys: made, listed, removed, and signed in with.
import { once, pageById, service } from "../../mixins/node.ts";
import { isProblem, problem } from "../contracts/errors.ts";
import { makeRecoveryCodes } from "./sign-in/codes.ts";
import { mayUnlink } from "./domain/federation.ts";
import { maySignIn } from "./domain/login.ts";
import { MOST_PASSKEYS } from "./domain/mfa.ts";
import { identityNode, openSession } from "./node.ts";
import { accountOfPasskey, creationFor, passkeyMade, requestFor } from "./sign-in/passkeys.ts";
import { accountOfTicket, wrongFactor } from "./sign-in/second-step.ts";
import type { AccountRow } from "./store/accounts.ts";
import { findAccount } from "./store/accounts.ts";
import { addAudit } from "./store/audit.ts";
import { countIdentities, lockAccount } from "./store/federation.ts";
import { deletePasskey, insertPasskey, isPasskeyTaken, passkeysOf } from "./store/passkeys.ts";
import { deleteRecoveryCodes, factorsOf, lockFactors } from "./store/second-factors.ts";
import { tellOwner } from "./mail/tell-owner.ts";

/** Whether the account is still there to sign in to. Throws 403 `banned`. */
function isThere(account: AccountRow): boolean {
	try {
		maySignIn(account);
		return true;
	} catch (error) {
		if (isProblem(error, "invalid-credentials")) return false;
		throw error;
	}
}

export default service("passkeys", {
	node: identityNode,

	actions: {
		async enrolOptions(ctx, { db }) {
			const { accountId, displayName } = ctx.caller;
			return once(ctx, db, async (tx) => {
				const account = await findAccount(tx, { id: accountId });
				if (!account) throw problem("not-found");
				return creationFor(tx, ctx, account, displayName, new Date());
			});
		},

		async enrol(ctx, { db }) {
			const { accountId } = ctx.caller;
			const { name, response } = ctx.params;
			const now = new Date();
			const made = await once(ctx, db, async (tx) => {
				await lockFactors(tx, accountId);
				const factors = await factorsOf(tx, accountId);
				if (factors.passkeys >= MOST_PASSKEYS)
					throw problem("conflict", { detail: `An account has at most ${MOST_PASSKEYS} passkeys: remove one first.` });
				const passkey = await passkeyMade(tx, ctx, accountId, response, now);
				// Answered, not thrown: a throw would leave the challenge open.
				if (typeof passkey === "string") return passkey;
				try {
					await insertPasskey(tx, { ...passkey, name });
				} catch (error) {
					throw isPasskeyTaken(error) ? problem("conflict", { detail: "This passkey is in use already." }) : error;
				}
				const { id, backedUp, createdAt, lastUsedAt } = passkey;
				const detail = { passkey: id, name, address: ctx.address };
				await addAudit(tx, { actor: accountId, action: "passkey.add", target: accountId, requestId: ctx.requestId, detail }, now);
				await tellOwner(ctx.broker, tx, accountId, "passkeyAdded", { name });
				const first = !factors.totp && factors.passkeys === 0;
				const codes = first ? { recoveryCodes: await makeRecoveryCodes(tx, ctx, accountId) } : {};
				return { id, name, backedUp, createdAt, lastUsedAt, ...codes };
			});
			if (typeof made === "string") throw problem("validation", { errors: [{ path: "response", code: "passkey", message: made }] });
			return made;
		},

		list: (ctx, { db }) => pageById(ctx.params, (after, limit) => passkeysOf(db, ctx.caller.accountId, after, limit)),

		async remove(ctx, { db }) {
			const { accountId } = ctx.caller;
			const { passkeyId } = ctx.params;
			return db.tx(async (tx) => {
				await lockFactors(tx, accountId);
				const name = await deletePasskey(tx, accountId, passkeyId);
				if (name === undefined) throw problem("not-found");
				const { totp, passkeys } = await factorsOf(tx, accountId);
				const account = await lockAccount(tx, accountId);
				if (!account) throw problem("not-found");
				mayUnlink(account, (await countIdentities(tx, accountId)) + passkeys + 1);
				if (!totp && passkeys === 0) await deleteRecoveryCodes(tx, accountId);
				const detail = { passkey: passkeyId, name, address: ctx.address };
				await addAudit(tx, { actor: accountId, action: "passkey.remove", target: accountId, requestId: ctx.requestId, detail }, new Date());
				await tellOwner(ctx.broker, tx, accountId, "passkeyRemoved", { name });
				return {};
			});
		},

		async options(ctx, { db }) {
			const { ticket } = ctx.params;
			const now = new Date();
			return once(ctx, db, async (tx) => requestFor(tx, ctx, ticket === undefined ? null : await accountOfTicket(tx, ticket, now), now));
		},

		async login(ctx, node) {
			const now = new Date();
			const signed = await once(ctx, node.db, async (tx) => {
				const account = await accountOfPasskey(tx, ctx, ctx.params.response, now);
				// Answered, not thrown: a throw would leave the challenge open.
				if (!account || !isThere(account)) return null;
				return openSession(node, tx, ctx, account, now, { acr: "2" });
			});
			if (!signed) throw wrongFactor();
			return signed;
		},
	},
});
