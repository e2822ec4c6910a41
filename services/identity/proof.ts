// That whoever is signed in knows the password, too: asked before what cannot be undone.
import { limitKey } from "../../mixins/address.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { throttled, throttlesTimes } from "./domain/login.ts";
import { verifyPassword } from "./hashing.ts";
import type { IdentityNode } from "./node.ts";
import { passwordOf } from "./store/erase.ts";
import { addFailure, failuresOf, forgetFailures } from "./store/failures.ts";

/**
 * Wrong tries count as those of signing in do. An account without a password proves itself by step-up instead, which is the door's
 * business. Throws 403 `wrong-password`, 422 `validation`, 429 `rate-limited`, 404 where the account is gone.
 */
export async function provePassword(node: IdentityNode, ctx: Ctx<unknown>, password: string | undefined): Promise<void> {
	const account = await passwordOf(node.db, ctx.caller.accountId);
	if (!account) throw problem("not-found");
	const { email, passwordHash } = account;
	if (passwordHash === null) return;
	if (password === undefined) throw problem("validation", { errors: [{ path: "password", code: "required", message: "is required" }] });
	const address = limitKey(ctx.address);
	const limits = throttlesTimes(node.factor);
	await node.attempts.run(email, address, async (others) => {
		const now = new Date();
		const wait = throttled(await failuresOf(node.db, email, address, limits, now), others, limits, now);
		if (wait > 0) throw problem("rate-limited", { retryAfter: wait });
		if (await verifyPassword(password, passwordHash)) return forgetFailures(node.db, email, address);
		await addFailure(node.db, email, address, new Date());
		throw problem("wrong-password");
	});
}
