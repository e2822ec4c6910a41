// What the presence node offers of devices: where somebody is reached who is not looking.
import { published } from "./contract.ts";
import { array, nullable, number, object, oneOf, optional, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const deviceKind = oneOf("ios", "android", "web");
export type DeviceKind = Infer<typeof deviceKind>;

/** What FCM calls an app on a device; of a browser its endpoint. */
const token = text(1, 4096, { pattern: /^[\x21-\x7e]+$/ });
const base64url = (least: number, most: number) => text(least, most, { pattern: /^[A-Za-z0-9_+/-]+={0,2}$/ });

/** As browsers write it (`PushSubscription.toJSON()`). */
const subscription = object({
	endpoint: text(1, 2048, { pattern: /^[\x21-\x7e]+$/ }),
	expirationTime: optional(nullable(number())),
	keys: object({ p256dh: base64url(86, 90), auth: base64url(20, 60) }),
});
export type Subscription = Infer<typeof subscription>;

export const device = object({
	id: uuid,
	kind: deviceKind,
	/** Names it in `DELETE /api/notifications/devices/:token`, url-encoded. */
	token,
	subscription: optional(subscription),
	createdAt: time,
	updatedAt: time,
});
export type Device = Infer<typeof device>;

export const actions = {
	...published({
		"devices.register": {
			summary: "A device on which the caller's profile is reached: an app by its FCM token, a browser by its Web Push subscription.",
			description:
				"To be said at every start of the app: it belongs to the profile that said so last, as long as that session lasts. A profile has at most 20; one more takes the place of the one that was silent longest.",
			params: { kind: deviceKind, token: optional(token), subscription: optional(subscription) },
			answer: device,
		},
		"devices.list": {
			summary: "The devices of the caller's profile, the newest first.",
			params: {},
			answer: object({ data: array(device), nextCursor: nullable(text(1, 1)) }),
			repeatable: true,
		},
		"devices.remove": {
			summary: "Nothing is pushed to this device any more: named by its token, its subscription's endpoint or its id.",
			params: { token },
			answer: object({}),
			errors: ["not-found"],
		},
		"devices.pushKey": {
			summary: "The key that browsers are to expect pushes from (VAPID): the `applicationServerKey` of a subscription.",
			params: {},
			answer: object({ publicKey: text(87, 87) }),
			repeatable: true,
		},
	}),
};
