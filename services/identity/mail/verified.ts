// An address is known to be its person's: by a mail that was read, or by the word of whoever they sign in at.
import type { Tx } from "../../../mixins/node.ts";
import { tellFacts } from "../../../mixins/node.ts";
import { problem } from "../../contracts/errors.ts";
import type { Cause } from "../../../mixins/facts/index.ts";
import { PURPOSES } from "../domain/mail-codes.ts";
import { isEmailTaken } from "../store/accounts.ts";
import { endCodes } from "../store/mail-codes.ts";
import { updateVerified } from "../store/recovery.ts";

/**
 * The address is the account's, and proved; what else was mailed to the account has had its day. Tells the fact where the account was not
 * verified before. Throws 409 `email-taken`, which spoils the transaction.
 */
export async function setVerified(
	tx: Tx,
	cause: Cause,
	account: { id: string; verifiedAt: string | null },
	email: string,
	now: Date,
): Promise<void> {
	try {
		await updateVerified(tx, account.id, email, now);
	} catch (error) {
		throw isEmailTaken(error) ? problem("email-taken") : error;
	}
	await endCodes(tx, account.id, PURPOSES, now);
	if (account.verifiedAt === null) await tellVerified(tx, cause, account.id);
}

export const tellVerified = (tx: Tx, cause: Cause, accountId: string): Promise<void> =>
	tellFacts(tx, cause, [{ type: "identity.account.verified", aggregate: accountId, payload: { accountId } }]);
