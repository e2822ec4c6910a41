// Around mail: proving an address, a lost password, and what people change of their accounts.
import { limitKey } from "../../mixins/address.ts";
import { limiterOf } from "../../mixins/limits.ts";
import { acceptTimeZone } from "../../mixins/time-zone.ts";
import { once, onceAfter, perBroker, service, settings } from "../../mixins/node.ts";
import type { Tx } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Asked } from "./mail/asked.ts";
import { asked } from "./mail/asked.ts";
import { mailCode, openedBy, provedBy } from "./mail/mail-codes.ts";
import type { Proof, Purpose } from "./domain/mail-codes.ts";
import { opensPassword, proofOf } from "./domain/mail-codes.ts";
import { acceptEmail, acceptPassword, normalizeEmail } from "./domain/login.ts";
import { limitEnumeration } from "./auth.service.ts";
import { provePassword } from "./sign-in/guesses.ts";
import { identityJobs } from "./jobs.ts";
import { commonPasswords, identityNode, revokeSessions, viewAccount } from "./node.ts";
import { tellSettings } from "./mail/settings.ts";
import { findAccount } from "./store/accounts.ts";
import { addAudit } from "./store/audit.ts";
import type { CodeRow } from "./store/mail-codes.ts";
import { endCodes } from "./store/mail-codes.ts";
import { forgetFailures } from "./store/failures.ts";
import type { Addressee } from "./store/recovery.ts";
import { findAddressee, lockAddressee, updatePassword, updateSettings } from "./store/recovery.ts";
import { setVerified } from "./mail/verified.ts";

type AnyCtx = Ctx<unknown>;

const VERIFIES: readonly Purpose[] = ["verify", "change"];
const RESETS: readonly Purpose[] = ["reset", "verify"];

/** Mails that one client address may ask for, whoever they are for. */
const asks = perBroker((broker) =>
	limiterOf(broker, "mails-asked", { units: Math.ceil(30 * settings(broker).RATE_LIMIT_FACTOR), seconds: 900 }),
);

/** Leaves word that a mail is wanted: the same work for every address, and the same answer. */
async function ask(ctx: Ctx<{ email: string }>, wanted: Asked["for"]): Promise<Record<never, never>> {
	const email = acceptEmail(ctx.params.email);
	const { allowed, retrySeconds } = await asks(ctx.broker).take(limitKey(ctx.address));
	if (!allowed) throw problem("rate-limited", { retryAfter: retrySeconds });
	return once(ctx, identityNode(ctx.broker).db, async (tx) => {
		await identityJobs.plan(tx, "asked", asked(ctx.broker, wanted, email));
		return {};
	});
}

const given = (params: Parameters<typeof proofOf>[0]): Proof => {
	const proof = proofOf(params);
	return "token" in proof ? proof : { ...proof, email: normalizeEmail(proof.email) };
};

/** What was proved, and whose account it is, both locked. Throws 400 `invalid-code` where it is used up meanwhile. */
async function opened(ctx: AnyCtx, tx: Tx, proof: Proof, purposes: readonly Purpose[], now: Date): Promise<[CodeRow, Addressee]> {
	const row = await openedBy(ctx.broker, tx, proof, purposes, now);
	const account = row && (await lockAddressee(tx, row.accountId));
	if (!row || !account || account.state === "trashed" || account.state === "purged") throw problem("invalid-code");
	return [row, account];
}

const audited = (ctx: AnyCtx, tx: Tx, action: string, target: string, now: Date) =>
	addAudit(tx, { actor: ctx.actor, action, target, requestId: ctx.requestId, detail: {} }, now);

/** Tells the owner, who may not have done it. Only where the address is known to be theirs. */
async function tellPasswordChanged(ctx: AnyCtx, tx: Tx, to: Pick<Addressee, "email" | "language">): Promise<void> {
	const values = { link: `${settings(ctx.broker).PUBLIC_URL}/forgot-password` };
	await identityNode(ctx.broker).sendMail(tx, { to: to.email, language: to.language, template: "passwordChanged", values });
}

export default service("recovery", {
	node: identityNode,

	actions: {
		async verifyEmail(ctx, { db }) {
			const proof = given(ctx.params);
			const prove = () => provedBy(ctx, proof, VERIFIES);
			return onceAfter(ctx, db, prove, async (tx) => {
				const now = new Date();
				const [{ purpose, email }, account] = await opened(ctx, tx, proof, VERIFIES, now);
				await setVerified(tx, ctx, account, email, now);
				if (purpose === "change") await audited(ctx, tx, "account.email", account.id, now);
				return { account: viewAccount({ ...account, email, state: account.state === "unverified" ? "active" : account.state }) };
			});
		},

		resendVerification: (ctx) => ask(ctx, "verify"),

		forgotPassword: (ctx) => ask(ctx, "reset"),

		async resetPassword(ctx, node) {
			const { password } = ctx.params;
			const proof = given(ctx.params);
			acceptPassword(password, commonPasswords);
			const { TTL_MAIL_CODE } = settings(ctx.broker);
			const prove = async () => {
				const row = await provedBy(ctx, proof, RESETS);
				if (!opensPassword(row, TTL_MAIL_CODE, new Date())) throw problem("invalid-code");
				// Only for who has the code: nobody else has us hash.
				return node.hashing.hash(password);
			};
			return onceAfter(ctx, node.db, prove, async (tx, passwordHash) => {
				const now = new Date();
				const [{ email }, account] = await opened(ctx, tx, proof, RESETS, now);
				await setVerified(tx, ctx, account, email, now);
				await updatePassword(tx, account.id, passwordHash, now);
				await forgetFailures(tx, account.email, limitKey(ctx.address));
				await revokeSessions(node, tx, ctx, { accountId: account.id }, "password", now);
				await audited(ctx, tx, "account.password-reset", account.id, now);
				await tellPasswordChanged(ctx, tx, account);
				return {};
			});
		},

		async changePassword(ctx, node) {
			const { currentPassword, newPassword } = ctx.params;
			const { accountId, sessionId } = ctx.caller;
			acceptPassword(newPassword, commonPasswords, "newPassword");
			if (newPassword === currentPassword) throw same("newPassword", "must be another than the present one");
			const prove = async () => {
				const { passwordHash } = await provePassword(node, ctx, currentPassword);
				return { known: passwordHash, next: await node.hashing.hash(newPassword) };
			};
			return onceAfter(ctx, node.db, prove, async (tx, { known, next }) => {
				const now = new Date();
				// Who has asked for them may be whom the owner is getting rid of.
				await endCodes(tx, accountId, ["reset", "change"], now);
				const account = await lockAddressee(tx, accountId);
				if (!account || account.passwordHash !== known) throw problem("wrong-password");
				await updatePassword(tx, accountId, next, now);
				await revokeSessions(node, tx, ctx, { accountId, but: sessionId }, "password", now);
				await audited(ctx, tx, "account.password", accountId, now);
				if (account.verifiedAt !== null) await tellPasswordChanged(ctx, tx, account);
				return {};
			});
		},

		async changeEmail(ctx, node) {
			const email = acceptEmail(ctx.params.email);
			const prove = async () => {
				const account = await provePassword(node, ctx, ctx.params.password);
				if (account.email === email) throw same("email", "is the present one");
				await limitEnumeration(node, ctx);
				if (await findAccount(node.db, { email })) throw problem("email-taken");
				return account.id;
			};
			return onceAfter(ctx, node.db, prove, async (tx, id) => {
				const account = await findAddressee(tx, { id });
				if (!account) throw problem("not-found");
				await mailCode(ctx.broker, tx, "change", { id, email, language: account.language }, new Date());
				if (account.verifiedAt !== null) {
					const values = { email, link: `${settings(ctx.broker).PUBLIC_URL}/forgot-password` };
					await node.sendMail(tx, { to: account.email, language: account.language, template: "emailChanging", values });
				}
				return {};
			});
		},

		async updateMe(ctx, { db }) {
			const { timeZone } = ctx.params;
			if (timeZone) acceptTimeZone(timeZone);
			const { accountId } = ctx.caller;
			await db.tx((tx) => tellSettings(tx, ctx, accountId, () => updateSettings(tx, accountId, ctx.params, new Date())));
			return ctx.call("auth.me", {});
		},
	},
});

function same(path: string, message: string) {
	return problem("validation", { errors: [{ path, code: "same", message }] });
}
