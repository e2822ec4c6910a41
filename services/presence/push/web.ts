// Web Push (RFC 8030): to whatever server the browser has named, which may be anybody's. It is asked like every server of strangers
// (mixins/outside.ts): never in a private network, no redirect followed, bounded in time and size.
import { createECDH } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { askOutside, InsideError, isInside, OutsideError } from "../../../mixins/outside.ts";
import { settings } from "../../../mixins/settings.ts";
import { problem } from "../../contracts/errors.ts";
import type { Subscription } from "../../contracts/devices.ts";
import type { Message, Outcome } from "../domain/push.ts";
import { retryAfter, topicOf, webOutcome } from "../domain/push.ts";
import type { DeviceRow } from "../store/devices.ts";
import { vapidOf } from "./vapid.ts";

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 64 * 1024;

export type Urgency = "low" | "normal" | "high";

const refuse = (path: string, code: string, message: string) =>
	problem("validation", { errors: [{ path: `subscription.${path}`, code, message }] });

/** A point of the curve that Web Push encrypts with, and a secret of 16 bytes. */
function areKeys({ p256dh, auth }: Subscription["keys"]): boolean {
	try {
		const pair = createECDH("prime256v1");
		pair.generateKeys();
		pair.computeSecret(Buffer.from(p256dh, "base64url"));
		return Buffer.from(p256dh, "base64url").length === 65 && Buffer.from(auth, "base64url").length === 16;
	} catch {
		return false;
	}
}

/** Throws 422 for a subscription that we would never push to. Answers its endpoint as it is kept. */
export async function acceptSubscription(broker: ServiceBroker, { endpoint, keys }: Subscription): Promise<string> {
	const url = URL.parse(endpoint);
	if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
		throw refuse("endpoint", "format", "must be the https URL of a push service");
	if (!settings(broker).ALLOW_PRIVATE_ENDPOINTS && (await isInside(url)))
		throw refuse("endpoint", "private", "must be an https URL of a public push service, not one in a private network");
	if (!areKeys(keys)) throw refuse("keys", "format", "must be the keys that the browser has made: p256dh and auth");
	return endpoint;
}

/** Some browsers take the right to push from whoever pushes anything that is not shown. */
const SHOWS_ALL = /(^|\.)push\.apple\.com$/;
export const takesWithdrawals = ({ kind, token }: Pick<DeviceRow, "kind" | "token">): boolean =>
	kind !== "web" || !SHOWS_ALL.test(new URL(token).hostname);

export async function sendWeb(
	broker: ServiceBroker,
	{ token: endpoint, keys }: DeviceRow,
	message: Message,
	{ ttlSeconds, urgency }: { ttlSeconds: number; urgency: Urgency },
): Promise<Outcome> {
	const { default: webPush } = await import("web-push");
	const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: keys as Subscription["keys"] }, JSON.stringify(message), {
		vapidDetails: await vapidOf(broker).details(),
		TTL: ttlSeconds,
		urgency,
		topic: topicOf(message.id),
		contentEncoding: "aes128gcm",
	});
	try {
		const answer = await askOutside(new URL(endpoint), {
			method: "POST",
			headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
			...(body ? { body } : {}),
			inside: settings(broker).ALLOW_PRIVATE_ENDPOINTS,
			timeoutMs: TIMEOUT_MS,
			maxBytes: MAX_BYTES,
		});
		return webOutcome(answer.status, retryAfter(answer.headers["retry-after"], Date.now()));
	} catch (error) {
		if (error instanceof InsideError) return { as: "dead", why: error.message };
		if (error instanceof OutsideError) return { as: "later", why: error.message };
		throw error;
	}
}
