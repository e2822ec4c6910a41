// The identity node itself: its health, the keys that verify its tokens, and which sessions have ended.
import { isTool, service, settings } from "../../mixins/node.ts";
import { ALGORITHM } from "../../mixins/token/claims.ts";
import { receipts } from "./privacy/erase.ts";
import { identityJobs } from "./jobs.ts";
import { keyName } from "../../mixins/token/verifier.ts";
import { moderation } from "./moderation.ts";
import { identityNode, keysChanged, revocationsSince, tellDoors } from "./node.ts";
import { persons } from "./persons.ts";
import { REREAD_MS } from "./sign-in/signing.ts";
import { addAudit } from "./store/audit.ts";
import { audience, audienceSize } from "./store/audience.ts";
import { contactOf, peopleAfter } from "./store/contacts.ts";
import { identityWork } from "./privacy/work.ts";

/** How a client says who it is (RFC 8414). */
const CLIENT_AUTH = ["client_secret_basic", "client_secret_post"];

export default service("identity", {
	node: identityNode,
	jobs: identityJobs,
	person: persons,
	consumers: { "identity-receipts": receipts, "identity-moderation": moderation },

	signals: {
		// Whoever has changed the keys: this process signs with them.
		"identity.keys.changed": (_payload, { node }) => node.signing.reread(new Date()),
	},

	actions: {
		job: identityWork.show,

		async jwks(_ctx, node) {
			return { keys: await node.signing.publicKeys() };
		},

		async openidConfiguration(ctx) {
			const base = settings(ctx.broker).PUBLIC_URL;
			return {
				issuer: base,
				jwks_uri: `${base}/.well-known/jwks.json`,
				token_endpoint: `${base}/api/auth/token`,
				introspection_endpoint: `${base}/api/auth/introspect`,
				revocation_endpoint: `${base}/api/auth/revoke`,
				grant_types_supported: ["password", "refresh_token", "client_credentials"],
				response_types_supported: [],
				subject_types_supported: ["public"],
				id_token_signing_alg_values_supported: [ALGORITHM],
				token_endpoint_auth_methods_supported: [...CLIENT_AUTH, "none"],
				introspection_endpoint_auth_methods_supported: CLIENT_AUTH,
				revocation_endpoint_auth_methods_supported: [...CLIENT_AUTH, "none"],
			};
		},

		async rotateKeys(ctx, node) {
			const now = new Date();
			const compromised = ctx.params.now;
			const rotated = await node.signing.rotate(now, compromised, async (tx, { id }, revoked) => {
				const detail = { kid: id, revoked };
				const action = compromised ? "keys.revoke" : "keys.rotate";
				await addAudit(tx, { actor: ctx.actor, action, target: id, requestId: ctx.requestId, detail }, now);
				tellDoors(node, tx, ctx.broker, revoked.map(keyName), now);
			});
			await keysChanged(ctx.broker);
			return rotated;
		},

		contactOf: (ctx, { db }) => contactOf(db, ctx.params.profileId, new Date()),

		audience: async (ctx, { db }) => {
			const { after = null, limit } = ctx.params;
			return { profileIds: await audience(db, ctx.params, after, limit, new Date()) };
		},

		audienceSize: async (ctx, { db }) => ({ profiles: await audienceSize(db, ctx.params, new Date()) }),

		people: async (ctx, { db }) => ({ people: await peopleAfter(db, ctx.params.after ?? null, ctx.params.limit) }),

		async revocations(ctx, { db, signing, ttlAccess }) {
			const at = new Date();
			const keys = (await signing.publicKeys()).map(({ kid }) => kid);
			return { at: at.toISOString(), keys, ...(await revocationsSince(db, ttlAccess, at, Date.parse(ctx.params.since ?? ""))) };
		},
	},

	async started(node, broker) {
		await node.signing.ensureKey(new Date());
		node.signing.mustOpen();
		if (isTool(broker)) return;
		node.copy?.start();
		const reread = () =>
			node.signing.reread(new Date()).catch((error) => broker.logger.debug("The keys could not be read anew.", { error: String(error) }));
		node.rereading = setInterval(reread, REREAD_MS);
		node.rereading.unref();
	},

	stopped({ copy, hashing, rereading }) {
		hashing.stop();
		clearInterval(rereading);
		copy?.stop();
	},
});
