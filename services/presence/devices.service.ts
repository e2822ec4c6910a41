// Where profiles are reached that are not looking: apps, by FCM, and browsers, by Web Push.
import { newId, once, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx, Params } from "../contracts/index.ts";
import { fcmOf } from "./push/fcm.ts";
import { vapidOf } from "./push/vapid.ts";
import { acceptSubscription } from "./push/web.ts";
import { devicesOf, removeDevice, saveDevice, trimDevices, viewDevice } from "./store/devices.ts";

/** Of one profile. */
const MOST = 20;

const wrong = (path: string, code: string, message: string) => problem("validation", { errors: [{ path, code, message }] });

/** A browser has a subscription, an app a token, and neither the other. Throws 422. */
async function nameOf({ params, broker }: Ctx<Params<"devices.register">>) {
	const { kind, token, subscription } = params;
	if (kind === "web") {
		if (token !== undefined) throw wrong("token", "unknown", "is not for a browser, which has a subscription");
		if (!subscription) throw wrong("subscription", "required", "is missing");
		return { token: await acceptSubscription(broker, subscription), keys: subscription.keys };
	}
	if (subscription) throw wrong("subscription", "unknown", "is not for an app, which has a token");
	if (token === undefined) throw wrong("token", "required", "is missing");
	return { token, keys: null };
}

export default service("devices", {
	actions: {
		async register(ctx, { db }) {
			const named = await nameOf(ctx);
			const { profileId, sessionId } = ctx.caller;
			return once(ctx, db, async (tx) => {
				const row = await saveDevice(tx, { id: newId(), profileId, sessionId, kind: ctx.params.kind, ...named }, new Date());
				if (!row) throw problem("not-found");
				await trimDevices(tx, profileId, MOST);
				return viewDevice(row);
			});
		},

		list: async (ctx, { db }) => ({ data: (await devicesOf(db, ctx.caller.profileId)).map(viewDevice), nextCursor: null }),

		async remove(ctx, { db }) {
			if (!(await removeDevice(db, ctx.caller.profileId, ctx.params.token))) throw problem("not-found");
			return {};
		},

		pushKey: async (ctx) => ({ publicKey: await vapidOf(ctx.broker).publicKey() }),
	},

	// A wrong FCM_CREDENTIALS_FILE stops the start.
	started: (_node, broker) => void fcmOf(broker),
});
