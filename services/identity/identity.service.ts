// The identity node itself: its health, the keys that verify its tokens, and which sessions have ended.
import type { Service } from "moleculer";
import { factsOf } from "../../mixins/facts/index.ts";
import { healthOf } from "../../mixins/health.ts";
import { defineService, implement } from "../../mixins/node.ts";
import { isTool, settings } from "../../mixins/settings.ts";
import { ALGORITHM, CLOCK_TOLERANCE } from "../../mixins/token.ts";
import { identityNode, refusedUntil } from "./node.ts";
import { endedSince, sweep } from "./store.ts";

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
			const node = identityNode(ctx.broker);
			const now = new Date();
			const alive = now.getTime() - (node.ttlAccess + 2 * CLOCK_TOLERANCE) * 1000;
			const since = Math.max(alive, ctx.params.since ? Date.parse(ctx.params.since) : 0);
			const ended = await endedSince(node.db, new Date(since));
			return {
				at: now.toISOString(),
				sessions: ended.map(({ sessionId, endedAt }) => ({ sessionId, until: refusedUntil(node, endedAt).toISOString() })),
			};
		},
	}),

	async started() {
		const { db, signing } = identityNode(this.broker);
		await signing.ensureKey(new Date());
		if (isTool(this.broker)) return;
		const housekeep = async () => {
			await signing.ensureKey(new Date());
			await sweep(db, new Date());
		};
		this.housekeeping = setInterval(() => housekeep().catch((error) => this.logger.warn("Housekeeping failed.", error)), HOURLY);
		this.housekeeping.unref();
	},

	stopped() {
		clearInterval(this.housekeeping);
	},
});
