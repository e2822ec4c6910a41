// The identity node itself: its health, the keys that verify its tokens, and which sessions have ended.
import type { Service } from "moleculer";
import { factsOf } from "../../mixins/facts/index.ts";
import { healthOf } from "../../mixins/health.ts";
import { defineService, implement } from "../../mixins/node.ts";
import { isTool, settings } from "../../mixins/settings.ts";
import { ALGORITHM } from "../../mixins/token.ts";
import { identityNode, revocationsSince } from "./node.ts";
import { sweep } from "./store.ts";

const HOURLY = 3_600_000;

interface IdentityService extends Service {
	housekeeping: NodeJS.Timeout;
}

export default defineService<IdentityService>({
	name: "identity",
	mixins: [factsOf("identity")],

	actions: implement("identity", {
		health: healthOf("identity"),

		async jwks(ctx) {
			return { keys: (await identityNode(ctx.broker).signing.publicKeys()) as never };
		},

		async openidConfiguration(ctx) {
			const base = settings(ctx.broker).PUBLIC_URL;
			return {
				issuer: base,
				jwks_uri: `${base}/.well-known/jwks.json`,
				token_endpoint: `${base}/api/auth/token`,
				grant_types_supported: ["password", "refresh_token"],
				response_types_supported: [],
				subject_types_supported: ["public"],
				id_token_signing_alg_values_supported: [ALGORITHM],
				token_endpoint_auth_methods_supported: ["none"],
			};
		},

		async revocations(ctx) {
			const { db, ttlAccess } = identityNode(ctx.broker);
			const at = new Date();
			return { at: at.toISOString(), sessions: await revocationsSince(db, ttlAccess, at, Date.parse(ctx.params.since ?? "")) };
		},
	}),

	async started() {
		const { db, signing, copy } = identityNode(this.broker);
		await signing.ensureKey(new Date());
		if (isTool(this.broker)) return;
		copy?.start();
		const housekeep = async () => {
			await signing.ensureKey(new Date());
			await sweep(db, new Date());
		};
		this.housekeeping = setInterval(() => housekeep().catch((error) => this.logger.warn("Housekeeping failed.", error)), HOURLY);
		this.housekeeping.unref();
	},

	stopped() {
		clearInterval(this.housekeeping);
		identityNode(this.broker).copy?.stop();
	},
});
