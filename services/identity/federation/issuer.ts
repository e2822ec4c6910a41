// An OpenID Connect issuer as we ask it: what it says of itself, its keys, and whether an ID token is one of its for us.
// Its operator may be anybody, its servers slow, broken or taken over: nothing it says leads us into a private network, and
// nobody but those who want to sign in there waits for it.
import type { JWK, JWTPayload, JWTVerifyGetKey } from "jose";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import type { ServiceBroker } from "moleculer";
import { makeLimiter } from "../../../mixins/limits.ts";
import type { OutsideAnswer, OutsideQuestion } from "../../../mixins/outside.ts";
import { askOutside, OutsideError } from "../../../mixins/outside.ts";
import { settings } from "../../../mixins/settings.ts";
import { CLOCK_TOLERANCE } from "../../../mixins/token/claims.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import { withoutSlash } from "../domain/federation.ts";
import { Kept } from "./kept.ts";

export interface ProviderSettings {
	readonly issuer: string;
	readonly clientId: string;
	readonly clientSecret?: string;
	readonly scopes: string;
}

/** What we use of a discovery document (OpenID Connect Discovery 1.0, section 3), checked. */
export interface IssuerMetadata {
	readonly issuer: string;
	readonly authorization_endpoint?: string;
	readonly token_endpoint?: string;
	readonly userinfo_endpoint?: string;
	readonly jwks_uri: string;
	readonly [more: string]: unknown;
}

/** Signatures that only the issuer can make. Never `none`, and none of those where who can verify can sign. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];
/** Headers by which a token would bring, or name, the key that it is to be verified with; or ask for what we do not know. */
const TRICKS = ["jku", "jwk", "x5u", "x5c", "crit"];
/** An ID token is good for so long after it was issued, in seconds, however long it says. */
export const ID_TOKEN_AGE = 3600;
const MINUTE = 60_000;
const TIMES = { freshMs: 10 * MINUTE, staleMs: 60 * MINUTE, pauseMs: 1_000 };
/** Questions for keys that we do not know: at once, and in which time they come back. Anybody can make up a key's name. */
const ASK_ANEW = { units: 2, seconds: 30 };
const MAX_KEYS = 100;
const ENDPOINTS = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];

type JoseError = { code?: string };

export class Issuer {
	readonly name: string;
	readonly provider: ProviderSettings;
	readonly #broker: ServiceBroker;
	readonly #anywhere: boolean;
	readonly #metadata = new Kept(() => this.#discover(), TIMES);
	readonly #keys = new Kept(() => this.#askKeys(), TIMES);
	readonly #anew = makeLimiter(ASK_ANEW);

	constructor(broker: ServiceBroker, name: string, provider: ProviderSettings) {
		this.name = name;
		this.provider = provider;
		this.#broker = broker;
		this.#anywhere = settings(broker).ALLOW_PRIVATE_ENDPOINTS;
	}

	/** Throws 503 `issuer-unavailable`. */
	metadata(): Promise<IssuerMetadata> {
		return this.#metadata.get();
	}

	/** The claims of an ID token that is good. Throws 401 `invalid-token`, 503 `issuer-unavailable`. */
	async verify(idToken: string, nonce?: string): Promise<JWTPayload & { sub: string }> {
		try {
			refuseTricks(idToken);
			const { issuer } = await this.metadata();
			const claims = await this.#verified(idToken, issuer);
			if (!isFor(claims, this.provider.clientId) || (nonce !== undefined && claims.nonce !== nonce)) throw problem("invalid-token");
			return claims as JWTPayload & { sub: string };
		} catch (error) {
			if (isProblem(error)) throw error;
			throw problem("invalid-token", { detail: "The ID token is not this issuer's for us, or its time is over." });
		}
	}

	/** With the keys that are known; where none fits, with those that the issuer has now: it may have changed them. */
	async #verified(idToken: string, issuer: string): Promise<JWTPayload> {
		const known = await this.#keys.get();
		try {
			return await this.#verifiedWith(known, idToken, issuer);
		} catch (error) {
			const keys = (error as JoseError).code === "ERR_JWKS_NO_MATCHING_KEY" ? await this.#newerThan(known) : undefined;
			if (!keys) throw error;
			return this.#verifiedWith(keys, idToken, issuer);
		}
	}

	/** Of many who come with a new key at once, one asks for it, and all get it. */
	async #newerThan(known: JWTVerifyGetKey): Promise<JWTVerifyGetKey | undefined> {
		const keys = await this.#keys.get();
		if (keys !== known) return keys;
		return this.#keys.isAsking || this.#anew.take("").allowed ? this.#keys.renew() : undefined;
	}

	async #verifiedWith(keys: JWTVerifyGetKey, idToken: string, issuer: string): Promise<JWTPayload> {
		const { payload } = await jwtVerify(idToken, keys, {
			issuer,
			audience: this.provider.clientId,
			algorithms: ALGORITHMS,
			requiredClaims: ["sub", "iat", "exp"],
			maxTokenAge: ID_TOKEN_AGE,
			clockTolerance: CLOCK_TOLERANCE,
			currentDate: new Date(),
		});
		return payload;
	}

	async #discover(): Promise<IssuerMetadata> {
		const { issuer } = this.provider;
		const said = await this.#askJson(`${withoutSlash(issuer)}/.well-known/openid-configuration`);
		// One slash more or less is how its operator wrote it here; its tokens have it as it says.
		const same = typeof said.issuer === "string" && withoutSlash(said.issuer) === withoutSlash(issuer);
		if (!same) throw this.#unavailable("Its document is that of another issuer.");
		for (const name of ENDPOINTS) {
			const url = said[name] === undefined && name !== "jwks_uri" ? undefined : URL.parse(String(said[name]));
			if (url === null || (url && !this.#isInside(url) && url.protocol !== "https:"))
				throw this.#unavailable(`Its ${name} is no https URL.`);
		}
		return said as unknown as IssuerMetadata; // held against it line by line above
	}

	async #askKeys(): Promise<JWTVerifyGetKey> {
		const { jwks_uri } = await this.metadata();
		const { keys } = await this.#askJson(jwks_uri);
		if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw this.#unavailable("Its keys are no JSON Web Key Set.");
		const usable = (key: unknown): key is JWK => typeof key === "object" && key !== null && typeof (key as JWK).kty === "string";
		return createLocalJWKSet({ keys: keys.filter(usable).filter(({ kty }) => kty !== "oct") });
	}

	async #askJson(url: string): Promise<Record<string, unknown>> {
		const { status, body } = await this.ask(url, { headers: { Accept: "application/json" } });
		if (status !== 200) throw this.#unavailable(`It answered ${status}.`);
		try {
			const value: unknown = JSON.parse(body.toString("utf8"));
			if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
		} catch {
			// Said below.
		}
		throw this.#unavailable("Its answer is no JSON object.");
	}

	/** Asks one of its servers. Where its operator has put it is a matter of ours; where it sends us from there is not. */
	async ask(url: string, question: OutsideQuestion = {}): Promise<OutsideAnswer> {
		try {
			const at = new URL(url);
			return await askOutside(at, { ...question, inside: this.#isInside(at) });
		} catch (error) {
			if (!(error instanceof OutsideError)) throw error;
			throw this.#unavailable(error.message);
		}
	}

	#isInside = (url: URL): boolean => this.#anywhere || url.origin === new URL(this.provider.issuer).origin;

	/** Clients learn that; operators why. */
	#unavailable(why: string) {
		this.#broker.logger.warn("An issuer does not answer as it should.", { provider: this.name, why });
		return problem("issuer-unavailable");
	}
}

function refuseTricks(idToken: string): void {
	const header = decodeProtectedHeader(idToken);
	const { typ = "JWT" } = header;
	// An access token or a logout token of the same issuer is signed by the same keys.
	const isIdToken = typeof typ === "string" && typ.toUpperCase() === "JWT";
	if (!isIdToken || TRICKS.some((name) => Object.hasOwn(header, name))) throw problem("invalid-token");
}

/** OpenID Connect Core 1.0, 3.1.3.7, 3 to 5: of several audiences, the token says for whom it was issued. */
function isFor({ sub, aud, azp }: JWTPayload, clientId: string): boolean {
	const several = Array.isArray(aud) && aud.length > 1;
	return typeof sub === "string" && sub !== "" && sub.length <= 255 && (!several || azp === clientId);
}
