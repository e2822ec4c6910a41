// The keys that browsers know us by (RFC 8292): made once, kept in the database, the same for every process and for good: a
// subscription is bound to them. The private one is sealed with a key derived from SECRET_KEY.
import { createECDH } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { seal, unseal } from "../../../mixins/mail/sealed.ts";
import { perBroker } from "../../../mixins/per-broker.ts";
import type { Db } from "../../../mixins/postgres.ts";
import { database } from "../../../mixins/postgres.ts";
import { keyFor } from "../../../mixins/secret.ts";
import { settings } from "../../../mixins/settings.ts";
import { findVapid, keepVapid } from "../store/devices.ts";
import type { VapidRow } from "../store/devices.ts";

const NAME = "vapid";
const sealingKey = (broker: ServiceBroker): Buffer => keyFor(settings(broker).SECRET_KEY, "the private key of Web Push");

function makeRow(broker: ServiceBroker): VapidRow {
	const pair = createECDH("prime256v1");
	const publicKey = pair.generateKeys("base64url");
	const privateKey = Buffer.alloc(32);
	const raw = pair.getPrivateKey();
	// Leading zeros are left out of what it answers.
	raw.copy(privateKey, 32 - raw.length);
	return { publicKey, privateSealed: seal(sealingKey(broker), privateKey.toString("base64url"), NAME) };
}

class Vapid {
	readonly #broker: ServiceBroker;
	readonly #db: Db;
	#row: Promise<VapidRow> | undefined;

	constructor(broker: ServiceBroker) {
		this.#broker = broker;
		this.#db = database("presence");
	}

	#kept(): Promise<VapidRow> {
		this.#row ??= this.#find().catch((error: unknown) => {
			this.#row = undefined;
			throw error;
		});
		return this.#row;
	}

	async #find(): Promise<VapidRow> {
		return (await findVapid(this.#db)) ?? keepVapid(this.#db, makeRow(this.#broker), new Date());
	}

	async publicKey(): Promise<string> {
		return (await this.#kept()).publicKey;
	}

	/** What a push service is told of us. Throws where SECRET_KEY is another than the key was sealed with. */
	async details(): Promise<{ subject: string; publicKey: string; privateKey: string }> {
		const { publicKey, privateSealed } = await this.#kept();
		const { PUBLIC_URL } = settings(this.#broker);
		// A page, or an address to write to; a page of this machine alone some services refuse.
		const subject = PUBLIC_URL.startsWith("https:") ? PUBLIC_URL : `mailto:reloop@${new URL(PUBLIC_URL).hostname}`;
		return { subject, publicKey, privateKey: this.#open(privateSealed) };
	}

	#open(sealed: string): string {
		try {
			return unseal(sealingKey(this.#broker), sealed, NAME);
		} catch {
			throw new Error(
				"SECRET_KEY is not the one that the key of Web Push in the database is encrypted with: start with that one. (Where it is lost for good: delete the row of presence.vapid_keys; browsers subscribe anew.)",
			);
		}
	}
}

export const vapidOf = perBroker((broker) => new Vapid(broker));
