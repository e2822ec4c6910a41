// Who calls, as other processes can believe it: the door that verified a token seals what the token says, and every action
// admits nothing else. Neither a stranger on NATS nor a service that writes into meta can name somebody (traps C11, C12).
import { createHmac, timingSafeEqual } from "node:crypto";
import { problem } from "../services/contracts/errors.ts";
import type { Principal } from "../services/contracts/index.ts";
import { keyFor } from "./secret.ts";

export interface Seals {
	/** For whoever has verified a token, and nobody else. `until`: when the token ends, in seconds since 1970. */
	seal(principal: Omit<Principal, "seal">, until: number): Principal;
	/** The principal that was sealed: frozen, and as it was then, whatever else is written beside the seal. Throws 401. */
	admit(principal: Principal): Principal;
}

/** A call may still be on its way for so long (s) when the token that began it ends. */
const GRACE = 60;
const MAX_KNOWN = 20_000;

function textOf(principal: Omit<Principal, "seal">, until: number): string {
	const { accountId, profileId, displayName, sessionId, roles, scopes, client, token } = principal;
	const { jti = null, iat = null } = token ?? {};
	return JSON.stringify([accountId, profileId, displayName, sessionId, roles, scopes, client ?? null, jti, iat, until]);
}

const same = (given: unknown, right: string | undefined): boolean =>
	typeof given === "string" &&
	right !== undefined &&
	given.length === right.length &&
	timingSafeEqual(Buffer.from(given), Buffer.from(right));

const made = new Map<string, Seals>();

/** The seals of everybody who has this SECRET_KEY. */
export function sealsFor(secretKey: string): Seals {
	const present = made.get(secretKey) ?? makeSeals(keyFor(secretKey, "who calls, between processes"));
	made.set(secretKey, present);
	return present;
}

function makeSeals(key: Buffer): Seals {
	const known = new Map<string, Principal>();
	const macOf = (principal: Omit<Principal, "seal">, until: number) =>
		createHmac("sha256", key).update(textOf(principal, until)).digest("base64url");

	// A seal of its own, over the other: a process of the version before, which knows of no strength, believes the rest as ever.
	const strengthOf = ({ authTime, acr }: Omit<Principal, "seal">, mac: string): string | undefined =>
		authTime === undefined
			? undefined
			: createHmac("sha256", key)
					.update(JSON.stringify([mac, authTime, acr]))
					.digest("base64url");

	const keep = (principal: Omit<Principal, "seal">, until: number, mac: string, strength: string | undefined): Principal => {
		const { accountId, profileId, displayName, sessionId, roles, scopes, client, token, authTime, acr } = principal;
		const sealed: Principal = Object.freeze({
			accountId,
			profileId,
			displayName,
			sessionId,
			roles: Object.freeze([...roles]),
			scopes: Object.freeze([...scopes]),
			...(client ? { client } : {}),
			...(token ? { token: Object.freeze({ jti: token.jti, iat: token.iat }) } : {}),
			...(strength !== undefined && authTime !== undefined && acr !== undefined ? { authTime, acr } : {}),
			seal: Object.freeze({ until, mac, ...(strength === undefined ? {} : { strength }) }),
		});
		if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
		known.set(`${mac} ${strength}`, sealed);
		return sealed;
	};

	return {
		seal(principal, until) {
			const mac = macOf(principal, until);
			return keep(principal, until, mac, strengthOf(principal, mac));
		},
		admit(principal) {
			const { mac, until, strength } = principal.seal ?? {};
			if (typeof mac !== "string" || typeof until !== "number" || until + GRACE < Date.now() / 1000) throw problem("unauthenticated");
			const present = known.get(`${mac} ${strength}`);
			if (present) return present;
			let right: string;
			let rightStrength: string | undefined;
			try {
				right = macOf(principal, until);
				rightStrength = strength === undefined ? undefined : strengthOf(principal, mac);
			} catch {
				throw problem("unauthenticated");
			}
			if (!same(mac, right) || (strength !== undefined && !same(strength, rightStrength))) throw problem("unauthenticated");
			return keep(principal, until, mac, strength);
		},
	};
}
