// Language and time zone of an account are told: others write to its owner by them.
import type { Cause } from "../../../mixins/facts/index.ts";
import { tellFacts } from "../../../mixins/facts/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import type { Settings } from "../store/contacts.ts";
import { holdSettings } from "../store/contacts.ts";

/** Makes a change of an account in `tx`, and tells what its settings are now, where they have changed by it. */
export async function tellSettings<T>(tx: Tx, cause: Cause, accountId: string, change: () => Promise<T>): Promise<T> {
	const before: Settings = await holdSettings(tx, accountId);
	const result = await change();
	const after = await holdSettings(tx, accountId);
	if (after.language !== before.language || after.timeZone !== before.timeZone)
		await tellFacts(tx, cause, [{ type: "identity.account.settingsChanged", aggregate: accountId, payload: { accountId, ...after } }]);
	return result;
}
