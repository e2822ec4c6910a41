// What strangers may try, and how often: wrong passwords and codes are counted for the account and the address they came from.
import { limitKey } from "../../../mixins/address.ts";
import { problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import { throttled, throttlesTimes } from "../domain/login.ts";
import type { IdentityNode } from "../node.ts";
import type { AccountRow } from "../store/accounts.ts";
import { findAccount } from "../store/accounts.ts";
import { addFailure, failuresOf, forgetFailures } from "../store/failures.ts";

type AnyCtx = Ctx<unknown>;

/**
 * A try that is counted where it answers undefined, and forgives the ones before it where it does not. `whose` it is about: an e-mail,
 * or a name for something else of it. Throws 429 `rate-limited`: who guesses waits, and the owner comes in from another address.
 */
export function guess<T>(node: IdentityNode, ctx: AnyCtx, whose: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
	const address = limitKey(ctx.address);
	const limits = throttlesTimes(node.factor);
	return node.attempts.run(whose, address, async (others) => {
		const now = new Date();
		const failures = await failuresOf(node.db, whose, address, limits, now);
		const wait = throttled(failures, others, limits, now);
		if (wait > 0) throw problem("rate-limited", { retryAfter: wait });
		const right = await attempt();
		if (right === undefined) await addFailure(node.db, whose, address, new Date());
		else if (failures.account.count > 0) await forgetFailures(node.db, whose, address);
		return right;
	});
}

/**
 * The caller's account, where this is its password; one hash. Wrong ones count as those of a sign-in. `orNone`: an account without a
 * password needs none, since the route asks for a step-up. Throws 403 `wrong-password`, 422 `validation`, 429 `rate-limited`.
 */
export async function provePassword(
	node: IdentityNode,
	ctx: AnyCtx,
	password: string | undefined,
	{ orNone = false } = {},
): Promise<AccountRow> {
	const account = await findAccount(node.db, { id: ctx.caller.accountId });
	if (!account) throw problem("unauthenticated");
	if (orNone && account.passwordHash === null) return account;
	if (password === undefined) throw problem("validation", { errors: [{ path: "password", code: "required", message: "is required" }] });
	const proved = await guess(node, ctx, account.email, async () =>
		(await node.hashing.verify(password, account.passwordHash)) ? account : undefined,
	);
	if (!proved) throw problem("wrong-password");
	return proved;
}
