// The keys that sign access tokens: in the database, so that every process has the same; the private part sealed with a
// key derived from SECRET_KEY.
import type { JsonWebKey, KeyObject } from "node:crypto";
import { createCipheriv, createDecipheriv, createHmac, createPrivateKey, generateKeyPair, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import type { JWK, JWK_RSA_Public } from "jose";
import { calculateJwkThumbprint, exportJWK } from "jose";
import type { ServiceBroker } from "moleculer";
import type { Db, Tx } from "../../../mixins/postgres.ts";
import { refusal } from "../../../mixins/refusal.ts";
import { keyFor } from "../../../mixins/secret.ts";
import { settings } from "../../../mixins/settings.ts";
import { ALGORITHM, AUDIENCE, TOKEN_TYPE } from "../../../mixins/token/claims.ts";
import type { PublicKey } from "../../contracts/identity.ts";
import type { KeyTimes } from "../domain/keys.ts";
import { newKeyDue, retiresAfter, signingKey, timesOfNewKey, timesOnDemand } from "../domain/keys.ts";
import type { KeyRow } from "../store/keys.ts";
import { insertKey, livingKeys, lockKeys, retireKeys, revokeKeys } from "../store/keys.ts";

const makePair = promisify(generateKeyPair);
/** RSASSA-PKCS1-v1_5 over SHA-256: RS256. */
const signRsa = promisify(sign);
/** Keys are read anew so often, in ms: another process may have made one, or given one up. */
export const REREAD_MS = 1_000;
const WRONG_SECRET_KEY =
	"SECRET_KEY is not the one that the signing keys in the database are encrypted with: start with that one. (Where it is lost for good: delete the rows of identity.signing_keys; everybody signs in again.)";

interface KeyPair {
	id: string;
	publicJwk: PublicKey;
	privateJwk: JWK;
}

async function makeKey(): Promise<KeyPair> {
	const { publicKey, privateKey } = await makePair("rsa", { modulusLength: 2048 });
	const [{ n, e }, privateJwk] = [(await exportJWK(publicKey)) as JWK_RSA_Public, await exportJWK(privateKey)];
	const id = await calculateJwkThumbprint({ kty: "RSA", n, e });
	return { id, publicJwk: { kty: "RSA", n, e, kid: id, alg: ALGORITHM, use: "sig" }, privateJwk };
}

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

/** Of a client's token (RFC 9068): no account, no profile. */
export interface ClientClaims {
	sub: string;
	sid: string;
	client_id: string;
	name: string;
	roles: string[];
	scope: string;
}

export class Signing {
	readonly #db: Db;
	readonly #issuer: string;
	readonly #ttl: number;
	readonly #sealing: Buffer;
	readonly #refreshing: Buffer;
	#keys: KeyRow[] = [];
	#read = false;
	#imported = new Map<string, KeyObject>();

	constructor(db: Db, broker: ServiceBroker) {
		const env = settings(broker);
		this.#db = db;
		this.#issuer = env.PUBLIC_URL;
		this.#ttl = env.TTL_ACCESS;
		this.#sealing = keyFor(env.SECRET_KEY, "private keys of identity");
		this.#refreshing = keyFor(env.SECRET_KEY, "refresh tokens of identity");
	}

	/** Makes a key when one is due. Two processes at once make one: they meet at a lock. Answers whether this one did. */
	async ensureKey(now: Date): Promise<boolean> {
		await this.reread(now);
		if (!newKeyDue(this.#keys, now)) return false;
		const pair = await makeKey();
		const made = await this.#db.tx(async (tx) => {
			await lockKeys(tx);
			const keys = await livingKeys(tx, now);
			if (!newKeyDue(keys, now)) return false;
			await insertKey(tx, this.#sealed(pair, timesOfNewKey(keys, now)), now);
			return true;
		});
		await this.reread(now);
		return made;
	}

	/**
	 * Another key, whether one is due or not. It signs in a moment, and the old ones verify for as long as their tokens live. With
	 * `compromised` none of them is believed from now on; `inTx` is told which, in the same transaction.
	 */
	async rotate(
		now: Date,
		compromised: boolean,
		inTx: (tx: Tx, made: KeyRow, revoked: readonly string[]) => Promise<void>,
	): Promise<{ kid: string; signsFrom: string; revoked: string[] }> {
		const pair = await makeKey();
		const answer = await this.#db.tx(async (tx) => {
			await lockKeys(tx);
			const key = this.#sealed(pair, timesOnDemand(now, compromised));
			const revoked = compromised ? await revokeKeys(tx, now) : [];
			if (!compromised) await retireKeys(tx, retiresAfter(key));
			await insertKey(tx, key, now);
			await inTx(tx, key, revoked);
			return { kid: key.id, signsFrom: key.signsFrom, revoked };
		});
		await this.reread(now);
		return answer;
	}

	/** Reads the keys anew: another process has changed them. */
	async reread(now: Date): Promise<void> {
		this.#keys = await livingKeys(this.#db, now);
		this.#read = true;
	}

	/** Throws the sentence for the operator where the keys were sealed with another SECRET_KEY than this process has. */
	mustOpen(): void {
		for (const key of this.#keys) {
			try {
				unseal(this.#sealing, key.privateSealed, key.id);
			} catch (error) {
				throw refusal(WRONG_SECRET_KEY, error);
			}
		}
	}

	/** The public keys: those that sign, will sign, and have signed what still lives. */
	async publicKeys(): Promise<PublicKey[]> {
		return (await this.#living()).map((key) => key.publicJwk);
	}

	/** A signed access token; `expiresIn` in seconds. */
	async sign(claims: AccessClaims | ClientClaims, now: Date): Promise<{ accessToken: string; expiresIn: number }> {
		const { sub, ...rest } = claims;
		const key = signingKey(await this.#living(), now);
		if (!key) throw new Error("There is no key to sign with.");
		const issued = Math.floor(now.getTime() / 1000);
		const header = { alg: ALGORITHM, typ: TOKEN_TYPE, kid: key.id };
		const times = { iat: issued, exp: issued + this.#ttl };
		const payload = { ...rest, iss: this.#issuer, aud: AUDIENCE, sub, jti: randomBytes(12).toString("base64url"), ...times };
		const said = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
		// In a thread of libuv's. Not by jose: by way of WebCrypto a signature costs a quarter more (bench/README.md).
		const signature = await signRsa("sha256", Buffer.from(said), this.#privateKey(key));
		return { accessToken: `${said}.${signature.toString("base64url")}`, expiresIn: this.#ttl };
	}

	/** A new refresh token: 256 random bits. */
	newRefreshToken(): string {
		return randomBytes(32).toString("base64url");
	}

	/** The one successor of a refresh token: derived, so that a lost answer can be given again though only hashes are stored. */
	successorOf(token: string): string {
		return createHmac("sha256", this.#refreshing).update(token).digest("base64url");
	}

	#sealed({ id, publicJwk, privateJwk }: KeyPair, times: KeyTimes): KeyRow {
		return { id, publicJwk, privateSealed: seal(this.#sealing, JSON.stringify(privateJwk), id), ...times };
	}

	async #living(): Promise<KeyRow[]> {
		// Once read they are only looked at here: who signs holds a connection already, and must not wait for a second one.
		if (!this.#read) await this.reread(new Date());
		return this.#keys;
	}

	#privateKey(key: KeyRow): KeyObject {
		let imported = this.#imported.get(key.id);
		if (!imported) {
			const jwk: JsonWebKey = JSON.parse(unseal(this.#sealing, key.privateSealed, key.id));
			imported = createPrivateKey({ key: jwk, format: "jwk" });
			this.#imported.set(key.id, imported);
		}
		return imported;
	}
}
