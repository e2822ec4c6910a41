// The keys that sign access tokens: in the database, so that every process has the same; the private part sealed with a
// key derived from SECRET_KEY.
import { createCipheriv, createDecipheriv, createHmac, generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { CryptoKey, JWK_RSA_Public } from "jose";
import { calculateJwkThumbprint, exportJWK, importJWK, SignJWT } from "jose";
import type { ServiceBroker } from "moleculer";
import type { Db } from "../../mixins/postgres.ts";
import { keyFor } from "../../mixins/secret.ts";
import { settings } from "../../mixins/settings.ts";
import { ALGORITHM, AUDIENCE, TOKEN_TYPE } from "../../mixins/token/claims.ts";
import type { PublicKey } from "../contracts/identity.ts";
import { newKeyDue, signingKey, timesOfNewKey } from "./domain/keys.ts";
import type { KeyRow } from "./store/keys.ts";
import { insertKey, livingKeys, lockKeys } from "./store/keys.ts";

const makePair = promisify(generateKeyPair);
/** Keys are read anew at most so often, in ms: another process may have made one. */
const KEEP_MS = 60_000;

export function seal(key: Buffer, text: string, name: string): Buffer {
	const nonce = randomBytes(12);
	const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
	const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
	return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

export function unseal(key: Buffer, sealed: Buffer, name: string): string {
	const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12))
		.setAAD(Buffer.from(name))
		.setAuthTag(sealed.subarray(12, 28));
	return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString("utf8");
}

export interface AccessClaims {
	sub: string;
	sid: string;
	name: string;
	profile: string;
	profiles: string[];
	roles: string[];
	scope: string;
	/** Seconds since 1970. */
	auth_time: number;
	acr: string;
}

export class Signing {
	readonly #db: Db;
	readonly #issuer: string;
	readonly #ttl: number;
	readonly #sealing: Buffer;
	readonly #refreshing: Buffer;
	#keys: KeyRow[] = [];
	#readAt = Number.NEGATIVE_INFINITY;
	#imported = new Map<string, CryptoKey>();

	constructor(db: Db, broker: ServiceBroker) {
		const env = settings(broker);
		this.#db = db;
		this.#issuer = env.PUBLIC_URL;
		this.#ttl = env.TTL_ACCESS;
		this.#sealing = keyFor(env.SECRET_KEY, "private keys of identity");
		this.#refreshing = keyFor(env.SECRET_KEY, "refresh tokens of identity");
	}

	/** Makes a key when one is due. Two processes at once make one: they meet at a lock. */
	async ensureKey(now: Date): Promise<void> {
		this.#keys = await livingKeys(this.#db, now);
		this.#readAt = performance.now();
		if (!newKeyDue(this.#keys, now)) return;
		const { publicKey, privateKey } = await makePair("rsa", { modulusLength: 2048 });
		const [{ n, e }, privateJwk] = [(await exportJWK(publicKey)) as JWK_RSA_Public, await exportJWK(privateKey)];
		const id = await calculateJwkThumbprint({ kty: "RSA", n, e });
		await this.#db.tx(async (tx) => {
			await lockKeys(tx);
			const keys = await livingKeys(tx, now);
			if (!newKeyDue(keys, now)) return;
			const times = timesOfNewKey(keys, now);
			await insertKey(
				tx,
				{
					id,
					publicJwk: { kty: "RSA", n, e, kid: id, alg: ALGORITHM, use: "sig" },
					privateSealed: seal(this.#sealing, JSON.stringify(privateJwk), id),
					...times,
				},
				now,
			);
		});
		this.#keys = await livingKeys(this.#db, now);
	}

	/** The public keys: those that sign, will sign, and have signed what still lives. */
	async publicKeys(): Promise<PublicKey[]> {
		return (await this.#living()).map((key) => key.publicJwk);
	}

	/** A signed access token; `expiresIn` in seconds. */
	async sign(claims: AccessClaims, now: Date): Promise<{ accessToken: string; expiresIn: number }> {
		const { sub, ...rest } = claims;
		const key = signingKey(await this.#living(), now);
		if (!key) throw new Error("There is no key to sign with.");
		const issued = Math.floor(now.getTime() / 1000);
		const accessToken = await new SignJWT(rest)
			.setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: key.id })
			.setIssuer(this.#issuer)
			.setAudience(AUDIENCE)
			.setSubject(sub)
			.setJti(randomBytes(12).toString("base64url"))
			.setIssuedAt(issued)
			.setExpirationTime(issued + this.#ttl)
			.sign(await this.#privateKey(key));
		return { accessToken, expiresIn: this.#ttl };
	}

	/** A new refresh token: 256 random bits. */
	newRefreshToken(): string {
		return randomBytes(32).toString("base64url");
	}

	/** The one successor of a refresh token: derived, so that a lost answer can be given again though only hashes are stored. */
	successorOf(token: string): string {
		return createHmac("sha256", this.#refreshing).update(token).digest("base64url");
	}

	async #living(): Promise<KeyRow[]> {
		if (performance.now() - this.#readAt > KEEP_MS) {
			this.#keys = await livingKeys(this.#db, new Date());
			this.#readAt = performance.now();
		}
		return this.#keys;
	}

	async #privateKey(key: KeyRow): Promise<CryptoKey> {
		let imported = this.#imported.get(key.id);
		if (!imported) {
			imported = (await importJWK(JSON.parse(unseal(this.#sealing, key.privateSealed, key.id)), ALGORITHM)) as CryptoKey;
			this.#imported.set(key.id, imported);
		}
		return imported;
	}
}
