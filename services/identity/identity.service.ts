// The identity node itself: its health, the keys that verify its tokens, and which sessions have ended.
import { isTool, service, settings } from "../../mixins/node.ts";
import { ALGORITHM } from "../../mixins/token/claims.ts";
import { identityJobs } from "./jobs.ts";
import { identityNode, revocationsSince } from "./node.ts";

const HOURLY = 3_600_000;

export default service("identity", {
	node: identityNode,
	jobs: identityJobs,

	actions: {
		async jwks(_ctx, node) {
			return { keys: await node.signing.publicKeys() };
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

		async revocations(ctx, { db, ttlAccess }) {
			const at = new Date();
			return { at: at.toISOString(), ...(await revocationsSince(db, ttlAccess, at, Date.parse(ctx.params.since ?? ""))) };
		},
	},

	async started(node, broker) {
		await node.signing.ensureKey(new Date());
		if (isTool(broker)) return;
		node.copy?.start();
		// In each process, since it also reads the keys that this one signs with.
		const ensureKey = () => node.signing.ensureKey(new Date()).catch((error) => broker.logger.warn("Housekeeping failed.", error));
		node.housekeeping = setInterval(ensureKey, HOURLY);
		node.housekeeping.unref();
	},

	stopped({ housekeeping, copy }) {
		clearInterval(housekeeping);
		copy?.stop();
	},
});
