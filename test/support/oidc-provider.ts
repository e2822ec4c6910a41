// A real OpenID Connect provider (npm oidc-provider) in this process, and a browser that signs in at it.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import type { JWK } from "jose";
import { exportJWK } from "jose";
import type { Configuration } from "oidc-provider";
import Provider from "oidc-provider";
import { makePair } from "./foreign-issuer.ts";

export const CLIENT = { id: "reloop", secret: "a secret of sixteen and more" };

/** A port that nobody has: for a server whose address others must know before it starts. */
export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

async function privateKey(): Promise<JWK> {
	const { kid, privateKey } = await makePair();
	return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}

/**
 * People sign in by any name, which is their subject; `people` says who they are.
 * @param inIdToken whether the ID token holds the e-mail; else only userinfo does
 */
export async function realProvider(redirectUris: string[], { inIdToken = true } = {}) {
	const people = new Map<string, { email: string; email_verified: boolean; name: string }>();
	let callback: (req: IncomingMessage, res: ServerResponse) => unknown = () => {};
	const server = createServer((req, res) => callback(req, res));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	after(() => {
		server.closeAllConnections();
		server.close();
	});
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const start = async () => {
		const configuration: Configuration = {
			clients: [
				{
					client_id: CLIENT.id,
					client_secret: CLIENT.secret,
					redirect_uris: redirectUris,
					grant_types: ["authorization_code"],
					response_types: ["code"],
					token_endpoint_auth_method: "client_secret_basic",
				},
			],
			jwks: { keys: [(await privateKey()) as never] }, // its own word for the same keys
			cookies: { keys: ["of this test"] },
			claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
			conformIdTokenClaims: !inIdToken,
			pkce: { required: () => true },
			ttl: { Session: 600, Grant: 600, Interaction: 600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600 },
			findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }),
		};
		callback = new Provider(issuer, configuration).callback();
	};
	await start();
	return { issuer, people, rotate: start };
}

/** What a browser does with cookies and redirects; it runs no scripts, and stops before `until`. */
export class Browser {
	readonly #jars = new Map<string, Map<string, string>>();

	async ask(
		url: string,
		{ form, headers = {} }: { form?: Record<string, string>; headers?: Record<string, string> } = {},
	): Promise<Response> {
		const at = new URL(url);
		const jar = this.#jars.get(at.host) ?? new Map<string, string>();
		this.#jars.set(at.host, jar);
		const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
		const answer = await fetch(url, {
			method: form ? "POST" : "GET",
			redirect: "manual",
			headers: { ...(cookie && { Cookie: cookie }), ...headers },
			...(form && { body: new URLSearchParams(form) }),
		});
		for (const set of answer.headers.getSetCookie()) {
			const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
			if (value === "" || /max-age=0|expires=thu, 01 jan 1970/i.test(set)) jar.delete(name);
			else jar.set(name, value);
		}
		return answer;
	}

	cookies(url: string): Map<string, string> {
		return this.#jars.get(new URL(url).host) ?? new Map();
	}

	/** Follows redirects and the provider's two forms from `url`; answers the first address that begins with `until`. */
	async signIn(url: string, login: string, until: string): Promise<string> {
		let here = url;
		for (let step = 0; step < 12; step++) {
			if (here.startsWith(until)) return here;
			const answer = await this.ask(here);
			const location = answer.headers.get("location");
			if (location) {
				here = new URL(location, here).href;
				continue;
			}
			const page = await answer.text();
			const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
			if (!action) throw new Error(`${answer.status} ${here}: ${page.slice(0, 300)}`);
			const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? "";
			const sent = await this.ask(new URL(action, here).href, { form: { prompt, login, password: "any" } });
			here = new URL(sent.headers.get("location") ?? "", here).href;
		}
		throw new Error(`lost at ${here}`);
	}
}
