// Second factors: the authenticator app and recovery codes, the second step of a login, and saying once more who one is.
import type { Tx } from "../../mixins/node.ts";
import { once, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { makeRecoveryCodes, newSecret, proveByCode, useTotp } from "./sign-in/codes.ts";
import { normalizeEmail } from "./domain/login.ts";
import { kindOf } from "./domain/mfa.ts";
import { identityNode, revokeSessions } from "./node.ts";
import { secondStep, wrongFactor } from "./sign-in/second-step.ts";
import { stepUp } from "./sign-in/step-up.ts";
import { findAccount } from "./store/accounts.ts";
import { addAudit } from "./store/audit.ts";
import { deleteTickets } from "./store/mfa-tickets.ts";
import { deletePasskeys } from "./store/passkeys.ts";
import { confirmTotp, deleteRecoveryCodes, deleteTotp, factorsOf, findTotp, lockFactors, putTotp } from "./store/second-factors.ts";
import { tellOwner } from "./mail/tell-owner.ts";

type AnyCtx = Ctx<unknown>;

/** What the account's owner changed about its second factors. */
const note = (tx: Tx, ctx: AnyCtx, action: string, now: Date) => {
	const { accountId } = ctx.caller;
	return addAudit(tx, { actor: accountId, action, target: accountId, requestId: ctx.requestId, detail: { address: ctx.address } }, now);
};

const onAlready = () => problem("wrong-state", { detail: "The account has an authenticator app: remove that one first." });

export default service("mfa", {
	node: identityNode,

	actions: {
		async status(ctx, { db }) {
			const factors = await factorsOf(db, ctx.caller.accountId);
			return { mfa: factors.totp || factors.passkeys > 0, ...factors };
		},

		async enrolTotp(ctx, { db }) {
			const { accountId } = ctx.caller;
			return once(ctx, db, async (tx) => {
				const account = await findAccount(tx, { id: accountId });
				if (!account) throw problem("not-found");
				const { secret, uri, sealed } = newSecret(ctx, accountId, account.email);
				await lockFactors(tx, accountId);
				if (!(await putTotp(tx, accountId, sealed, new Date()))) throw onAlready();
				return { secret, uri };
			});
		},

		async confirmTotp(ctx, { db }) {
			const { accountId } = ctx.caller;
			const now = new Date();
			const recoveryCodes = await once(ctx, db, async (tx) => {
				await lockFactors(tx, accountId);
				const totp = await findTotp(tx, accountId);
				if (totp?.confirmedAt) throw onAlready();
				if (!totp) throw problem("wrong-state", { detail: "There is no authenticator app to confirm: begin with one." });
				// Not counted: whoever asks was told the secret.
				if (!(await useTotp(tx, ctx, accountId, ctx.params.code, now))) return null;
				await confirmTotp(tx, accountId, now);
				await note(tx, ctx, "mfa.totp.on", now);
				await tellOwner(ctx.broker, tx, accountId, "authenticatorOn", {});
				return makeRecoveryCodes(tx, ctx, accountId);
			});
			if (!recoveryCodes) throw wrongFactor();
			return { recoveryCodes };
		},

		async removeTotp(ctx, { db }) {
			const { accountId } = ctx.caller;
			const { code } = ctx.params;
			const now = new Date();
			const removed = await once(ctx, db, async (tx) => {
				if (!(await factorsOf(tx, accountId)).totp) throw problem("not-found");
				if (!(await proveByCode(tx, ctx, accountId, kindOf(code), code, now))) return false;
				await deleteTotp(tx, accountId);
				if ((await factorsOf(tx, accountId)).passkeys === 0) await deleteRecoveryCodes(tx, accountId);
				await note(tx, ctx, "mfa.totp.off", now);
				await tellOwner(ctx.broker, tx, accountId, "authenticatorOff", {});
				return true;
			});
			if (!removed) throw wrongFactor();
			return {};
		},

		async renewRecoveryCodes(ctx, { db }) {
			const { accountId } = ctx.caller;
			return once(ctx, db, async (tx) => {
				await lockFactors(tx, accountId);
				const { totp, passkeys } = await factorsOf(tx, accountId);
				if (!totp && passkeys === 0) throw problem("wrong-state", { detail: "The account has no second factor to recover from." });
				await note(tx, ctx, "mfa.recovery.renew", new Date());
				await tellOwner(ctx.broker, tx, accountId, "recoveryRenewed", {});
				return { recoveryCodes: await makeRecoveryCodes(tx, ctx, accountId) };
			});
		},

		login: (ctx, node) => secondStep(node, ctx, ctx.params),

		async stepUp(ctx, node) {
			return { tokens: await stepUp(node, ctx, ctx.params) };
		},

		async reset(ctx, node) {
			const account = await findAccount(node.db, { email: normalizeEmail(ctx.params.email) });
			if (!account) throw problem("not-found", { detail: "There is no account with this e-mail." });
			const { id, email } = account;
			return node.db.tx(async (tx) => {
				const now = new Date();
				await lockFactors(tx, id);
				const { totp, passkeys } = await factorsOf(tx, id);
				await deleteTotp(tx, id);
				await deletePasskeys(tx, id);
				await deleteRecoveryCodes(tx, id);
				await deleteTickets(tx, id);
				const detail = { totp, passkeys };
				await addAudit(tx, { actor: null, action: "mfa.reset", target: id, requestId: ctx.requestId, detail }, now);
				await tellOwner(ctx.broker, tx, id, "factorsReset", {});
				// Whoever has the lost device may be signed in on it.
				await revokeSessions(node, tx, ctx, { accountId: id }, "mfa", now);
				return { id, email, totp, passkeys };
			});
		},
	},
});
