// The authorization code flow with PKCE, for browsers. What a flow needs to know between its two ends is sealed into a cookie of
// the browser: any process can end what any other has begun, and nobody can end what another browser has begun.
import { EncryptJWT, jwtDecrypt } from "jose";
import type { ServiceBroker } from "moleculer";
import * as oidc from "openid-client";
import { keyFor } from "../../../mixins/secret.ts";
import { settings } from "../../../mixins/settings.ts";
import { CLOCK_TOLERANCE } from "../../../mixins/token/claims.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import type { Params } from "../../contracts/index.ts";
import type { Claimed } from "../domain/federation.ts";
import { claimed } from "../domain/federation.ts";
import type { Flow } from "../domain/flows.ts";
import { FLOW_SECONDS, isKnown, mayBegin, takeFlow, targetOf, withFlow } from "../domain/flows.ts";
import type { Issuer, IssuerMetadata } from "./issuer.ts";

const callbackOf = (broker: ServiceBroker, issuer: Issuer): string =>
	`${settings(broker).PUBLIC_URL}/api/auth/oidc/${encodeURIComponent(issuer.name)}/callback`;

const sealingKey = (broker: ServiceBroker): Buffer => keyFor(settings(broker).SECRET_KEY, "sign-ins begun at issuers");

/** "" for none: the browser forgets the cookie. */
async function sealed(broker: ServiceBroker, flows: readonly Flow[]): Promise<string> {
	if (flows.length === 0) return "";
	return new EncryptJWT({ flows }).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(sealingKey(broker));
}

/** What is no cookie of ours holds no flow. */
async function unsealed(broker: ServiceBroker, cookie: string | undefined): Promise<Flow[]> {
	if (!cookie) return [];
	try {
		const { payload } = await jwtDecrypt<{ flows: Flow[] }>(cookie, sealingKey(broker), {
			keyManagementAlgorithms: ["dir"],
			contentEncryptionAlgorithms: ["A256GCM"],
		});
		return payload.flows;
	} catch {
		return [];
	}
}

/** The issuer in the words of openid-client, which asks it by our way. */
function configuration(issuer: Issuer, metadata: IssuerMetadata): oidc.Configuration {
	const { clientId, clientSecret } = issuer.provider;
	const methods = (metadata.token_endpoint_auth_methods_supported ?? ["client_secret_basic"]) as string[];
	const basic = methods.includes("client_secret_basic") ? oidc.ClientSecretBasic(clientSecret) : oidc.ClientSecretPost(clientSecret);
	const made = new oidc.Configuration(
		metadata as oidc.ServerMetadata,
		clientId,
		{ [oidc.clockTolerance]: CLOCK_TOLERANCE },
		clientSecret === undefined ? oidc.None() : basic,
	);
	// Which of its servers may be asked without https is decided where they are asked.
	oidc.allowInsecureRequests(made);
	made[oidc.customFetch] = async (url, { method, headers, body }) => {
		const text = body === null || body === undefined ? undefined : String(body);
		const answer = await issuer.ask(url, {
			method,
			headers: Object.fromEntries(new Headers(headers)),
			...(text !== undefined && { body: text }),
		});
		const said = Object.entries(answer.headers).flatMap(([name, value]) =>
			typeof value === "string" ? [[name, value] as [string, string]] : [],
		);
		// These may have no body.
		return new Response([204, 205, 304].includes(answer.status) ? null : new Uint8Array(answer.body), {
			status: answer.status,
			headers: said,
		});
	};
	return made;
}

export async function start(broker: ServiceBroker, issuer: Issuer, params: Params<"federation.start">) {
	const { PUBLIC_URL, CORS_ORIGINS } = settings(broker);
	const now = new Date();
	mayBegin(params);
	const r = targetOf(params.redirect, PUBLIC_URL, CORS_ORIGINS);
	const metadata = await issuer.metadata();
	if (!metadata.authorization_endpoint || !metadata.token_endpoint) throw problem("issuer-unavailable");
	const flow: Flow = {
		s: oidc.randomState(),
		n: oidc.randomNonce(),
		v: oidc.randomPKCECodeVerifier(),
		p: issuer.name,
		r,
		...(params.challenge && { c: params.challenge }),
		...(params.link && { l: 1 as const }),
		...(params.stepUp && { u: 1 as const }),
		x: Math.floor(now.getTime() / 1000) + FLOW_SECONDS,
	};
	const location = oidc.buildAuthorizationUrl(configuration(issuer, metadata), {
		redirect_uri: callbackOf(broker, issuer),
		response_type: "code",
		scope: issuer.provider.scopes,
		state: flow.s,
		nonce: flow.n,
		code_challenge: await oidc.calculatePKCECodeChallenge(flow.v),
		code_challenge_method: "S256",
		// Whoever is signed in there already says it anew; with max_age the ID token must say when (OpenID Connect Core 1.0, 3.1.2.1).
		...(params.stepUp && { prompt: "login", max_age: "0" }),
	});
	const flows = await sealed(broker, withFlow(await unsealed(broker, params.flows), flow, now));
	return { location: location.href, flows };
}

/**
 * The flow that this browser has begun, and its cookie without it. Throws 400 `bad-state`, also where it would lead to a site that is known
 * no more.
 */
export async function begunFlow(
	broker: ServiceBroker,
	issuer: Issuer,
	params: Params<"federation.callback">,
): Promise<{ flow: Flow; flows: string }> {
	const { PUBLIC_URL, CORS_ORIGINS } = settings(broker);
	const { flow, left } = takeFlow(await unsealed(broker, params.flows), params.state, issuer.name, new Date());
	if (!isKnown(flow.r, PUBLIC_URL, CORS_ORIGINS)) throw problem("bad-state");
	return { flow, flows: await sealed(broker, left) };
}

export interface Returned {
	claimed: Claimed;
	/** When they proved there who they are (seconds since 1970), if the issuer says. */
	authTime: unknown;
}

/** Who has come back. Throws 400 `bad-state`, 403 `sign-in-refused`, 401 `invalid-token`, 503 `issuer-unavailable`. */
export async function finish(broker: ServiceBroker, issuer: Issuer, flow: Flow, params: Params<"federation.callback">): Promise<Returned> {
	const current = new URL(callbackOf(broker, issuer));
	for (const name of ["code", "state", "iss", "error"] as const) {
		const value = params[name];
		if (value !== undefined) current.searchParams.set(name, value);
	}
	if (params.code === undefined && params.error === undefined) throw problem("bad-state");
	try {
		const config = configuration(issuer, await issuer.metadata());
		const checks = { expectedState: flow.s, expectedNonce: flow.n, pkceCodeVerifier: flow.v, idTokenExpected: true };
		const answer = await oidc.authorizationCodeGrant(config, current, checks);
		const claims = await issuer.verify(answer.id_token as string, flow.n);
		const more = claims.email === undefined ? await userinfo(config, answer.access_token, claims.sub) : {};
		return { claimed: claimed(claims.iss as string, claims.sub, { ...more, ...claims }), authTime: claims.auth_time };
	} catch (error) {
		const refusal = told(error);
		// Also what only an operator can mend: a wrong secret, a redirect that the issuer does not know.
		if (isProblem(refusal, "sign-in-refused"))
			broker.logger.warn("A sign-in at an issuer failed.", { provider: issuer.name, why: reasonOf(error) });
		throw refusal;
	}
}

/** Some issuers keep the e-mail out of the ID token. */
async function userinfo(config: oidc.Configuration, accessToken: string, subject: string): Promise<Record<string, unknown>> {
	return config.serverMetadata().userinfo_endpoint ? oidc.fetchUserInfo(config, accessToken, subject) : {};
}

const reasonOf = (error: unknown): unknown => (error as { error?: unknown }).error ?? (error as { code?: unknown }).code;

/** No answer of an issuer: what openid-client says of one that cannot be read. */
const UNREADABLE = ["OAUTH_RESPONSE_IS_NOT_CONFORM", "OAUTH_RESPONSE_IS_NOT_JSON", "OAUTH_PARSE_ERROR"];

/** What an error of openid-client means to the person in front of the browser. */
function told(error: unknown): unknown {
	for (let cause = error; cause instanceof Error; cause = cause.cause) if (isProblem(cause)) return cause;
	if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) {
		// A word of RFC 6749, or nothing: the rest of what it says is whoever's who wrote the link.
		return problem("sign-in-refused", /^[a-z_]{1,64}$/.test(error.error) ? { error: error.error } : {});
	}
	if (error instanceof oidc.ClientError && UNREADABLE.includes(error.code ?? "")) return problem("issuer-unavailable");
	if (error instanceof oidc.ClientError && error.code?.startsWith("OAUTH_JWT")) return problem("invalid-token");
	if (error instanceof oidc.ClientError || error instanceof oidc.WWWAuthenticateChallengeError) return problem("sign-in-refused");
	return error;
}
