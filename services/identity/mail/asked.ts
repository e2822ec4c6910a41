// Who asks for a mail by an address alone is answered at once, and the same, whoever has it: what follows is done by a job.
import type { ServiceBroker } from "moleculer";
import type { JobTools } from "../../../mixins/jobs/index.ts";
import { seal, unseal } from "../../../mixins/mail/sealed.ts";
import { newId, perBroker, settings } from "../../../mixins/node.ts";
import { keyFor } from "../../../mixins/secret.ts";
import { mailCode } from "./mail-codes.ts";
import { MAILS } from "../domain/mail-codes.ts";
import { identityNode } from "../node.ts";
import { isMailed, lockMailing, mailedSince } from "../store/mail-codes.ts";
import { findAddressee } from "../store/recovery.ts";

export interface Asked {
	/** Of the code that may be made. */
	id: string;
	for: "verify" | "reset";
	/** The address, normalised; sealed, since a job that failed waits longer than its account may live. */
	sealed: string;
}

const keyOf = perBroker((broker) => keyFor(settings(broker).SECRET_KEY, "addresses that mails were asked for"));

/** What is to be done for whoever asks by an address. */
export function asked(broker: ServiceBroker, wanted: Asked["for"], email: string): Asked {
	const id = newId();
	return { id, for: wanted, sealed: seal(keyOf(broker), email, id) };
}

/** Mails what was asked for, if there is an account that may get it, and it was not mailed too often. */
export async function answerAsked({ id, for: purpose, sealed }: Asked, { at, db, broker }: JobTools): Promise<void> {
	const email = unseal(keyOf(broker), sealed, id);
	const account = await findAddressee(db, { email });
	if (!account || account.state === "trashed" || account.state === "purged") return;
	const verified = account.verifiedAt !== null;
	if (purpose === "verify" && verified) return;
	// An account that is not verified gets no other mail: proving the address comes first, and does for a new password, too.
	const mailed = verified ? purpose : "verify";
	const most = Math.max(1, Math.floor(MAILS.most * identityNode(broker).factor));
	const since = new Date(at.getTime() - MAILS.windowMs);
	await db.tx(async (tx) => {
		await lockMailing(tx, account.id, mailed);
		if ((await mailedSince(tx, account.id, mailed, since)) >= most) return;
		// The job may run twice.
		if (!(await isMailed(tx, id))) await mailCode(broker, tx, mailed, account, at, { id });
	});
}
