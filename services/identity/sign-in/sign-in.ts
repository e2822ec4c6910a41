// Who somebody is by e-mail and password: at one price for known and unknown, and not to be guessed.
import { onceAfter } from "../../../mixins/idempotency.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { SignedIn } from "../../contracts/identity.ts";
import type { MfaRequired } from "../../contracts/mfa.ts";
import { maySignIn, normalizeEmail } from "../domain/login.ts";
import type { IdentityNode } from "../node.ts";
import { guess } from "./guesses.ts";
import type { AccountRow } from "../store/accounts.ts";
import { findAccount, holdAccount } from "../store/accounts.ts";

type AnyCtx = Ctx<unknown>;

export interface Credentials {
	email: string;
	password: string;
}

/**
 * The account whose password this is. Unknown, trashed and wrong are one answer, at the price of one hash. Throws 401
 * `invalid-credentials`, 403 `banned`, 429 `rate-limited`.
 */
export async function authenticate(node: IdentityNode, ctx: AnyCtx, given: Credentials): Promise<AccountRow> {
	const email = normalizeEmail(given.email);
	let refusal: unknown = problem("invalid-credentials");
	const signedIn = await guess(node, ctx, email, async () => {
		const account = await findAccount(node.db, { email });
		const right = await node.hashing.verify(given.password, account?.passwordHash);
		if (!account || !right) return undefined;
		try {
			maySignIn(account);
		} catch (error) {
			refusal = error;
			return undefined;
		}
		return account;
	});
	if (!signedIn) throw refusal;
	return signedIn;
}

/**
 * A new session for who knows the password, or what `next` makes of it. Throws as `authenticate` does, and 403 `mfa-required`
 * where the password alone is not enough.
 */
export async function signIn<T extends SignedIn | MfaRequired>(
	node: IdentityNode,
	ctx: AnyCtx,
	given: Credentials,
	next: (node: IdentityNode, tx: Tx, ctx: AnyCtx, account: AccountRow, now: Date) => Promise<T>,
): Promise<T> {
	// Hashing takes its time, and must not hold a connection meanwhile.
	return onceAfter(
		ctx,
		node.db,
		() => authenticate(node, ctx, given),
		async (tx, { id, passwordHash }) => {
			// Read again and held: whoever changes the account's role, state or password ends this session too, or came before it.
			const account = await holdAccount(tx, id);
			if (!account || account.passwordHash !== passwordHash) throw problem("invalid-credentials");
			maySignIn(account);
			return next(node, tx, ctx, account, new Date());
		},
	);
}
