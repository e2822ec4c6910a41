// A browser comes back from an issuer: what it is given for the page that began, and what that page hears where it goes wrong.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Tx } from "../../../mixins/node.ts";
import { CLOCK_TOLERANCE } from "../../../mixins/token/claims.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import type { Ctx, Params } from "../../contracts/index.ts";
import { problems } from "../../contracts/problems.ts";
import { arrive } from "./arrival.ts";
import type { Returned } from "./code-flow.ts";
import { begunFlow, finish } from "./code-flow.ts";
import type { Claimed } from "../domain/federation.ts";
import { disowned } from "../domain/federation.ts";
import type { Flow } from "../domain/flows.ts";
import { provedAt } from "../domain/flows.ts";
import { maySignIn } from "../domain/login.ts";
import type { Issuer } from "./issuer.ts";
import type { IdentityNode } from "../node.ts";
import { holdAccount } from "../store/accounts.ts";
import type { SignInCode } from "../store/federation.ts";
import { findIdentity, insertCode } from "../store/federation.ts";

/** A code of a fragment is good for so long, in ms. */
const CODE_MS = 60_000;

type Guard = (who: Claimed) => Promise<unknown>;

/**
 * Where the browser goes on to, with a code or an error in the fragment: that reaches the page, and no server, log or Referer. `guard` is
 * asked before anybody signs in. Throws 400 `bad-state` where nobody knows who began.
 */
export async function comeBack(node: IdentityNode, ctx: Ctx<Params<"federation.callback">>, issuer: Issuer, guard: Guard) {
	const { flow, flows } = await begunFlow(ctx.broker, issuer, ctx.params);
	try {
		const returned = await finish(ctx.broker, issuer, flow, ctx.params);
		if (!flow.l && !flow.u) await guard(returned.claimed);
		const code = randomBytes(32).toString("base64url");
		await node.db.tx(async (tx) => {
			const now = new Date();
			const kept = { provider: issuer.name, challenge: flow.c ?? null, ...(await keptOf(tx, ctx, issuer, flow, returned, now)) };
			await insertCode(tx, code, kept, new Date(now.getTime() + CODE_MS));
		});
		return { location: `${flow.r}#code=${code}`, flows };
	} catch (error) {
		if (!isProblem(error)) ctx.broker.logger.error("A browser that came back could not be let in.", { provider: issuer.name }, { error });
		return { location: `${flow.r}#${saidOf(error)}`, flows };
	}
}

/** In the words of OAuth (RFC 6749, 4.1.2.1); `error` is a problem's code. */
function saidOf(error: unknown): URLSearchParams {
	const known = isProblem(error);
	const { error: issuerError } = known ? (error.data ?? {}) : {};
	return new URLSearchParams({
		error: known ? error.type : "internal",
		error_description: known ? error.message : problems.internal.detail,
		...(typeof issuerError === "string" && { issuer_error: issuerError }),
	});
}

/** What the code stands for. */
async function keptOf(
	tx: Tx,
	ctx: Ctx<unknown>,
	issuer: Issuer,
	flow: Flow,
	{ claimed, authTime }: Returned,
	now: Date,
): Promise<Omit<SignInCode, "provider" | "challenge">> {
	if (flow.l) return { accountId: null, created: false, claimed, provedAt: null };
	if (flow.u) {
		const at = provedAt(flow, authTime, CLOCK_TOLERANCE, now).toISOString();
		return { accountId: await ownerOf(tx, claimed), created: false, claimed: null, provedAt: at };
	}
	const { account, created } = await arrive(tx, ctx, issuer.name, claimed, now);
	return { accountId: account.id, created, claimed: null, provedAt: null };
}

/** The account that they sign in to by this identity. Throws 403 `sign-in-refused`, `banned`, 401 `invalid-credentials`. */
async function ownerOf(tx: Tx, who: Claimed): Promise<string> {
	const identity = await findIdentity(tx, who);
	const account = identity && (await holdAccount(tx, identity.accountId));
	if (!account || !identity || disowned({ ...identity, ...account }))
		throw problem("sign-in-refused", { detail: "Nobody here signs in as this person at the issuer." });
	maySignIn(account);
	return account.id;
}

/** RFC 7636 between the page that began and our own code. */
export function answersChallenge(challenge: string | null, verifier: string | undefined): boolean {
	if (challenge === null) return true;
	const expected = Buffer.from(challenge, "base64url");
	const given = createHash("sha256")
		.update(verifier ?? "")
		.digest();
	return expected.length === given.length && timingSafeEqual(expected, given);
}
