// OpenID Connect issuers written by hand, so that they can lie: several on one server, told apart by the first word of the path.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import type { CryptoKey, JWK, JWTHeaderParameters } from "jose";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

interface Pair {
	kid: string;
	privateKey: CryptoKey;
	jwk: JWK;
}

let kids = 0;

export async function makePair(alg = "RS256"): Promise<Pair> {
	const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
	const kid = `key-${++kids}`;
	return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export class ForeignIssuer {
	readonly issuer: string;
	readonly clientId: string;
	/** What it was asked for, without its own prefix. */
	readonly asked: string[] = [];
	/** Changes what its document says. */
	document: Record<string, unknown> = {};
	/** Answers in its place; by path. */
	readonly instead = new Map<string, (req: IncomingMessage, res: ServerResponse) => void>();
	pair: Pair;

	constructor(origin: string, name: string, pair: Pair) {
		this.issuer = `${origin}/${name}`;
		this.clientId = `reloop-at-${name}`;
		this.pair = pair;
	}

	async rotate(): Promise<void> {
		this.pair = await makePair();
	}

	/** An ID token of somebody with a verified e-mail, unless said otherwise; undefined leaves a claim out. */
	token(
		claims: Record<string, unknown> = {},
		{ header = {}, key = this.pair.privateKey }: { header?: Partial<JWTHeaderParameters>; key?: CryptoKey | Uint8Array } = {},
	): Promise<string> {
		const now = Math.floor(Date.now() / 1000);
		const usual = { iss: this.issuer, aud: this.clientId, sub: "ana", iat: now, exp: now + 300, email_verified: true };
		const said = Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined));
		return new SignJWT(said).setProtectedHeader({ alg: "RS256", typ: "JWT", kid: this.pair.kid, ...header }).sign(key);
	}

	answer(path: string, req: IncomingMessage, res: ServerResponse): void {
		this.asked.push(path);
		const other = this.instead.get(path);
		if (other) return other(req, res);
		const send = (body: unknown) => res.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
		if (path === "/.well-known/openid-configuration") send({ ...this.#usual(), ...this.document });
		else if (path === "/jwks") send({ keys: [this.pair.jwk] });
		else res.writeHead(404).end();
	}

	#usual() {
		const { issuer } = this;
		return {
			issuer,
			jwks_uri: `${issuer}/jwks`,
			authorization_endpoint: `${issuer}/authorize`,
			token_endpoint: `${issuer}/token`,
			response_types_supported: ["code"],
			subject_types_supported: ["public"],
			id_token_signing_alg_values_supported: ["RS256"],
		};
	}
}

/** Issuers for a whole file, and the environment of who trusts them. */
export async function foreignIssuers<const N extends string>(...names: N[]) {
	const issuers = {} as Record<N, ForeignIssuer>;
	const server = createServer((req, res) => {
		const [, name = "", path = ""] = /^\/(\w+)(\/.*)$/.exec(req.url ?? "") ?? [];
		const issuer = Object.hasOwn(issuers, name) ? issuers[name as N] : undefined;
		if (issuer) issuer.answer(path, req, res);
		else res.writeHead(404).end();
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	after(() => {
		server.closeAllConnections();
		server.close();
	});
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const environment: Record<string, string> = {};
	const pair = await makePair();
	for (const name of names) {
		issuers[name] = new ForeignIssuer(origin, name, pair);
		environment[`OIDC_${name.toUpperCase()}_ISSUER`] = issuers[name].issuer;
		environment[`OIDC_${name.toUpperCase()}_CLIENT_ID`] = issuers[name].clientId;
	}
	return { ...issuers, environment };
}
