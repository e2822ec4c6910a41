// Signing in at others: ID tokens of OpenID Connect issuers, the code flow for browsers, and what Clerk tells of its people.
import type { Tx } from "../../mixins/node.ts";
import { once, onceAfter, pageById, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { arrive, link } from "./federation/arrival.ts";
import { limitEnumeration } from "./auth.service.ts";
import { answersChallenge, comeBack } from "./federation/browser-return.ts";
import { start } from "./federation/code-flow.ts";
import { clerkEvent, follow } from "./federation/clerk.ts";
import type { Claimed } from "./domain/federation.ts";
import { claimed, mayUnlink } from "./domain/federation.ts";
import { maySignIn } from "./domain/login.ts";
import type { Issuer } from "./federation/issuer.ts";
import type { IdentityNode } from "./node.ts";
import { identityNode } from "./node.ts";
import { enter } from "./sign-in/second-step.ts";
import { factorsOf } from "./store/second-factors.ts";
import { holdAccount } from "./store/accounts.ts";
import { addAudit } from "./store/audit.ts";
import * as store from "./store/federation.ts";
import { renewed } from "./sign-in/step-up.ts";
import { tellOwner } from "./mail/tell-owner.ts";

type AnyCtx = Ctx<unknown>;
/** Somebody at a provider, as it says. */
type ToLink = { provider: string; who: Claimed };

/** The provider that a body names. Throws 422 `validation`. */
function issuerNamed({ issuers }: IdentityNode, name: string): Issuer {
	const issuer = issuers.get(name);
	if (issuer) return issuer;
	throw problem("validation", { errors: [{ path: "provider", code: "unknown", message: "is none of the configured providers" }] });
}

/** The provider that a path names. Throws 404 `not-found`. */
function issuerAt({ issuers }: IdentityNode, name: string): Issuer {
	const issuer = issuers.get(name);
	if (!issuer) throw problem("not-found");
	return issuer;
}

async function claimedBy(issuer: Issuer, { idToken, nonce }: { idToken: string; nonce?: string | undefined }): Promise<Claimed> {
	const claims = await issuer.verify(idToken, nonce);
	return claimed(claims.iss as string, claims.sub, claims);
}

/** Throws 422 `validation` where neither a code nor an ID token was given. */
async function provedBy(node: IdentityNode, given: { provider?: string; idToken?: string; nonce?: string }): Promise<ToLink> {
	const { provider, idToken, nonce } = given;
	const missing = Object.entries({ provider, idToken }).filter(([, value]) => value === undefined);
	if (provider !== undefined && idToken !== undefined)
		return { provider, who: await claimedBy(issuerNamed(node, provider), { idToken, nonce }) };
	throw problem("validation", { errors: missing.map(([path]) => ({ path, code: "required", message: "is required" })) });
}

/** Throws 401 `invalid-token`. */
async function linkedBy(tx: Tx, code: string, verifier: string | undefined, now: Date): Promise<ToLink> {
	const taken = await store.takeCode(tx, code, now);
	if (!taken?.claimed || !answersChallenge(taken.challenge, verifier)) throw problem("invalid-token");
	return { provider: taken.provider, who: taken.claimed };
}

/** Whoever can have any e-mail written into a token learns which of them have an account: as rarely as by registering. */
async function limitUnproven(node: IdentityNode, ctx: AnyCtx, who: Claimed): Promise<Claimed> {
	if (!who.emailVerified && !(await store.findIdentity(node.db, who))) await limitEnumeration(node, ctx);
	return who;
}

/** Who said once more at an issuer who they are is whose session it is. Throws 401 `unauthenticated`, `invalid-credentials`. */
async function steppedUp(node: IdentityNode, tx: Tx, ctx: AnyCtx, by: { accountId: string; provedAt: string }, now: Date) {
	const { principal } = ctx.meta;
	if (!principal) throw problem("unauthenticated", { detail: "A step-up is for a session: send its access token." });
	if (principal.accountId !== by.accountId)
		throw problem("invalid-credentials", { detail: "Whoever signed in at the issuer is not the person of this session." });
	return { ...(await renewed(node, tx, ctx, now, new Date(by.provedAt))), created: false };
}

export default service("federation", {
	node: identityNode,

	actions: {
		async signIn(ctx, node) {
			const issuer = issuerNamed(node, ctx.params.provider);
			const prove = async () => limitUnproven(node, ctx, await claimedBy(issuer, ctx.params));
			return onceAfter(ctx, node.db, prove, async (tx, who) => {
				const now = new Date();
				const { account, created } = await arrive(tx, ctx, issuer.name, who, now);
				return { ...(await enter(node, tx, ctx, account, now)), created };
			});
		},

		list: (ctx, { db }) => pageById(ctx.params, (after, limit) => store.identitiesOf(db, ctx.caller.accountId, after, limit)),

		async link(ctx, node) {
			const { code, verifier, ...given } = ctx.params;
			const { accountId } = ctx.caller;
			const prove = async () => (code === undefined ? provedBy(node, given) : undefined);
			return onceAfter(ctx, node.db, prove, async (tx, proved) => {
				const now = new Date();
				const { provider, who } = proved ?? (await linkedBy(tx, code as string, verifier, now));
				await store.lockSubject(tx, who);
				if (await store.isDeleted(tx, who)) throw problem("invalid-token");
				if (await store.findIdentity(tx, who)) throw problem("already-linked");
				const account = await holdAccount(tx, accountId);
				if (!account) throw problem("not-found");
				// Whoever has made an account with somebody else's address must not stay in it by another way.
				if (account.state !== "active")
					throw problem("wrong-state", { state: account.state, detail: "Verify the e-mail of the account first." });
				return link(tx, ctx, provider, who, account, now);
			});
		},

		async unlink(ctx, { db }) {
			const { accountId } = ctx.caller;
			const { identityId } = ctx.params;
			await db.tx(async (tx) => {
				const account = await store.lockAccount(tx, accountId);
				const identities = await store.countIdentities(tx, accountId);
				const provider = account && (await store.deleteIdentity(tx, accountId, identityId));
				if (!provider) throw problem("not-found");
				mayUnlink(account, identities + (await factorsOf(tx, accountId)).passkeys);
				const entry = { actor: ctx.actor, action: "account.unlink", target: accountId, requestId: ctx.requestId, detail: { identityId } };
				await addAudit(tx, entry, new Date());
				await tellOwner(ctx.broker, tx, accountId, "signInUnlinked", { provider });
			});
			return {};
		},

		providers: (_ctx, { issuers }) => ({
			data: [...issuers.keys()].map((provider) => ({ provider, start: `/api/auth/oidc/${provider}/start` })),
		}),

		start: (ctx, node) => start(ctx.broker, issuerAt(node, ctx.params.provider), ctx.params),

		async callback(ctx, node) {
			const issuer = issuerAt(node, ctx.params.provider);
			return comeBack(node, ctx, issuer, (who) => limitUnproven(node, ctx, who));
		},

		async exchange(ctx, node) {
			const { code, verifier } = ctx.params;
			return once(ctx, node.db, async (tx) => {
				const now = new Date();
				const taken = await store.takeCode(tx, code, now);
				if (!taken?.accountId || !answersChallenge(taken.challenge, verifier)) throw problem("invalid-token");
				if (taken.provedAt) return steppedUp(node, tx, ctx, { accountId: taken.accountId, provedAt: taken.provedAt }, now);
				const account = await holdAccount(tx, taken.accountId);
				if (!account) throw problem("invalid-token");
				maySignIn(account);
				return { ...(await enter(node, tx, ctx, account, now)), created: taken.created };
			});
		},

		async clerk(ctx, node) {
			const { id, event } = clerkEvent(ctx.broker, ctx.params);
			return once(ctx, node.db, async (tx) => {
				const now = new Date();
				if ((await store.hearWebhook(tx, "clerk", id, now)) && event) await follow(node, tx, ctx, event, now);
				return {};
			});
		},
	},
});
