// The link at the end of a mail: whoever has it may call off mails of the kinds that it names, for that profile, and nothing else. It is
// signed, and good for as long as the mail lies around.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { perBroker } from "../../../mixins/per-broker.ts";
import { keyFor } from "../../../mixins/secret.ts";
import { settings } from "../../../mixins/settings.ts";
import { problem } from "../../contracts/errors.ts";
import type { Kind } from "../../contracts/notifications.ts";
import { kind } from "../../contracts/notifications.ts";

const keyOf = perBroker((broker) => keyFor(settings(broker).SECRET_KEY, "links that call off mails"));

const macOf = (broker: ServiceBroker, said: string): Buffer => createHmac("sha256", keyOf(broker)).update(said).digest().subarray(0, 18);

/** Fit for a URL. */
export function tokenOf(broker: ServiceBroker, profileId: string, kinds: readonly Kind[]): string {
	const said = `${profileId}.${kinds.join("-")}`;
	return `${said}.${macOf(broker, said).toString("base64url")}`;
}

const isKind = (name: string): name is Kind => (kind.values as readonly string[]).includes(name);

/** Throws 400 `invalid-code` for what was not made here. */
export function readToken(broker: ServiceBroker, token: string): { profileId: string; kinds: Kind[] } {
	const [profileId = "", names = "", mac = ""] = token.split(".");
	const expected = macOf(broker, `${profileId}.${names}`);
	const given = Buffer.from(mac, "base64url");
	if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw problem("invalid-code");
	return { profileId, kinds: names.split("-").filter(isKind) };
}
