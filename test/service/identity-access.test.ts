// The token endpoint, and what an access token says and opens.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { JSONWebKeySet } from "jose";
import { PASSWORD, identityHouse, refusedWith } from "../support/identity-house.ts";

const { call, person } = await identityHouse();

describe("the token endpoint", () => {
	test("speaks RFC 6749 for passwords and refresh tokens", async () => {
		const { email } = await person();
		const first = await call("auth.token", { grant_type: "password", username: email, password: PASSWORD, scope: "openid" });
		assert.deepEqual([first.token_type, first.expires_in, first.scope], ["Bearer", 600, "account:own"]);
		const second = await call("auth.token", { grant_type: "refresh_token", refresh_token: first.refresh_token });
		assert.equal(decodeJwt(second.access_token).sid, decodeJwt(first.access_token).sid);
	});

	test("refuses in its words", async () => {
		const { email } = await person();
		const cases = [
			[{}, 400, "invalid_request"],
			[{ grant_type: "password", username: email }, 400, "invalid_request"],
			[{ grant_type: "refresh_token" }, 400, "invalid_request"],
			[{ grant_type: "password", username: email, password: "something else" }, 400, "invalid_grant"],
			[{ grant_type: "refresh_token", refresh_token: "unknown" }, 400, "invalid_grant"],
			[{ grant_type: "authorization_code" }, 400, "unsupported_grant_type"],
			[{ grant_type: "client_credentials", client_id: "x", client_secret: "y" }, 401, "invalid_client"],
		] as const;
		for (const [params, status, error] of cases) {
			await assert.rejects(call("auth.token", params), (thrown: { code: number; data: { oauth: { error: string } } }) => {
				assert.deepEqual([thrown.code, thrown.data.oauth.error], [status, error]);
				return true;
			});
		}
	});
});

describe("an access token", () => {
	test("carries the claims of the spec, and validate tells them", async () => {
		const { account, profile, tokens: made } = await person();
		const { typ, alg, kid } = decodeProtectedHeader(made.accessToken);
		const claims = decodeJwt(made.accessToken);
		assert.deepEqual([typ, alg], ["at+jwt", "RS256"]);
		const { iat = 0, jti, sid, ...rest } = claims;
		assert.deepEqual(rest, {
			iss: "http://localhost:3000",
			aud: "reloop",
			exp: iat + 600,
			sub: account.id,
			name: "Ana",
			profile: profile.id,
			profiles: [profile.id],
			roles: ["user", "consumer"],
			scope: "account:own",
			auth_time: iat,
			acr: "1",
		});
		assert.ok(jti && sid);
		assert.deepEqual(await call("auth.validate", {}, { token: made.accessToken }), claims);
		const { keys } = await call("identity.jwks", {});
		assert.ok(keys.some((key) => (key as { kid: string }).kid === kid));
		for (const key of keys) assert.deepEqual(Object.keys(key as object).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
		await jwtVerify(made.accessToken, createLocalJWKSet({ keys } as unknown as JSONWebKeySet));
	});

	test("opens me: the account, the active profile and all profiles", async () => {
		const { account, profile, tokens: made } = await person();
		assert.deepEqual(await call("auth.me", {}, { token: made.accessToken }), {
			account: { ...account, language: null, timeZone: null, phone: null },
			profile,
			profiles: [profile],
			tos: { required: false, currentId: null },
		});
		assert.deepEqual(await call("profiles.list", {}, { token: made.accessToken }), { data: [profile], nextCursor: null });
		const other = await person();
		assert.deepEqual(await call("profiles.show", { profileId: profile.id }, { token: other.tokens.accessToken }), profile);
		await refusedWith("not-found", call("profiles.show", { profileId: randomUUID() }, { token: other.tokens.accessToken }));
	});
});
