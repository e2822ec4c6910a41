// Firebase Cloud Messaging, HTTP v1: apps on Android and iOS. Who we are is said by a service account (FCM_CREDENTIALS_FILE): a token
// signed with its key (RFC 7523) is changed for an access token, which is used until shortly before its end.
import { createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { SignJWT } from "jose";
import type { ServiceBroker } from "moleculer";
import type { OutsideAnswer } from "../../../mixins/outside.ts";
import { askOutside, OutsideError } from "../../../mixins/outside.ts";
import { perBroker } from "../../../mixins/per-broker.ts";
import { refusal } from "../../../mixins/refusal.ts";
import { settings } from "../../../mixins/settings.ts";
import type { Message, Outcome } from "../domain/push.ts";
import { fcmCode, fcmMessage, fcmOutcome, retryAfter } from "../domain/push.ts";

const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TIMEOUT_MS = 5_000;
/** An access token is given up so long (ms) before its end, or a fifth of its time where that is less. */
const BEFORE_END_MS = 5 * 60_000;

interface Account {
	projectId: string;
	email: string;
	keyId: string | undefined;
	key: KeyObject;
	tokenUri: string;
}

/** Throws a refusal that says what is wrong with the file; nothing of what is in it. */
export function readAccount(file: string): Account {
	const wrong = (what: string) => refusal(`FCM_CREDENTIALS_FILE (${file}) ${what}.`);
	let said: Record<string, unknown>;
	try {
		said = JSON.parse(readFileSync(file, "utf8")) as typeof said;
	} catch (error) {
		const { code } = error as { code?: unknown };
		throw wrong(
			code === undefined ? "is not JSON: it must be the key of a service account, as Google gives it out" : `cannot be read (${code})`,
		);
	}
	const text = (name: string): string => {
		const value = said?.[name];
		if (typeof value !== "string" || value === "")
			throw wrong(`has no ${name}: it must be the key of a service account, as Google gives it out`);
		return value;
	};
	if (text("type") !== "service_account") throw wrong('is not of the type "service_account"');
	const tokenUri = text("token_uri");
	if (!/^https?:$/.test(URL.parse(tokenUri)?.protocol ?? "")) throw wrong("has a token_uri that is no URL");
	let key: KeyObject | undefined;
	try {
		key = createPrivateKey(text("private_key"));
	} catch (error) {
		if (error instanceof Error && "sentence" in error) throw error;
	}
	if (key?.asymmetricKeyType !== "rsa") throw wrong("has a private_key that is no RSA key in PEM");
	const keyId = said.private_key_id;
	return {
		projectId: text("project_id"),
		email: text("client_email"),
		keyId: typeof keyId === "string" ? keyId : undefined,
		key,
		tokenUri,
	};
}

/** What FCM does not do now, and why. */
class Later extends Error {
	readonly after: number | undefined;
	constructor(message: string, after?: number) {
		super(message);
		this.after = after;
	}
}

/** `until` (ms): when another one is needed; endless while it is asked for. */
interface Access {
	token: Promise<string>;
	until: number;
}

class Fcm {
	readonly #account: Account;
	readonly #url: URL;
	#access: Access | undefined;

	constructor(account: Account, base: string) {
		this.#account = account;
		this.#url = new URL(`${base}/v1/projects/${encodeURIComponent(account.projectId)}/messages:send`);
	}

	async send(token: string, message: Message, ttlSeconds: number): Promise<Outcome> {
		const body = JSON.stringify({ message: fcmMessage(token, message, ttlSeconds) });
		try {
			// Google may end a token before its time.
			for (let asked = 0; asked < 2; asked++) {
				const access = this.#accessToken();
				const outcome = await this.#ask(body, await access.token);
				if (outcome !== "unauthorised") return outcome;
				// Of many that were refused with it, the first gives it up; the others find the next one.
				this.#drop(access);
			}
			return { as: "later", why: "FCM takes no access token of this service account." };
		} catch (error) {
			if (error instanceof Later) return { as: "later", why: error.message, after: error.after };
			if (error instanceof OutsideError) return { as: "later", why: error.message };
			throw error;
		}
	}

	async #ask(body: string, access: string): Promise<Outcome | "unauthorised"> {
		const headers = { Authorization: `Bearer ${access}`, "Content-Type": "application/json; charset=UTF-8" };
		const answer = await post(this.#url, headers, body);
		return fcmOutcome(answer.status, fcmCode(answer.body.toString("utf8")), afterOf(answer));
	}

	/** Of many who need one at once, one asks. */
	#accessToken(): Access {
		if (this.#access && Date.now() < this.#access.until) return this.#access;
		const set = (until: number) => {
			access.until = until;
		};
		const access: Access = { token: this.#newToken(set), until: Number.POSITIVE_INFINITY };
		this.#access = access;
		access.token.catch(() => this.#drop(access));
		return access;
	}

	#drop(access: Access): void {
		if (this.#access === access) this.#access = undefined;
	}

	async #newToken(until: (time: number) => void): Promise<string> {
		const { email, keyId, key, tokenUri } = this.#account;
		const now = Math.floor(Date.now() / 1000);
		const assertion = await new SignJWT({ scope: SCOPE })
			.setProtectedHeader({ alg: "RS256", typ: "JWT", ...(keyId ? { kid: keyId } : {}) })
			.setIssuer(email)
			.setSubject(email)
			.setAudience(tokenUri)
			.setIssuedAt(now)
			.setExpirationTime(now + 3600)
			.sign(key);
		const form = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
		const answer = await post(new URL(tokenUri), { "Content-Type": "application/x-www-form-urlencoded" }, form);
		if (answer.status !== 200) throw new Later(`No access token for FCM: ${answer.status}.`, afterOf(answer));
		const { access_token: token, expires_in: seconds } = jsonOf(answer);
		if (typeof token !== "string" || typeof seconds !== "number") throw new Later("No access token for FCM: the answer has none.");
		until(now * 1000 + seconds * 1000 - Math.min(BEFORE_END_MS, seconds * 200));
		return token;
	}
}

/** An operator has named these servers: where they are is their matter. */
const post = (url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<OutsideAnswer> =>
	askOutside(url, { method: "POST", headers, body, inside: true, timeoutMs: TIMEOUT_MS });

const afterOf = ({ headers }: OutsideAnswer): number | undefined => retryAfter(headers["retry-after"], Date.now());

function jsonOf({ body }: OutsideAnswer): Record<string, unknown> {
	try {
		return (JSON.parse(body.toString("utf8")) ?? {}) as Record<string, unknown>;
	} catch {
		return {};
	}
}

/** Null without FCM_CREDENTIALS_FILE: then apps can register, and are not pushed to. Throws a refusal for a wrong file. */
const holderOf = perBroker((broker): { fcm: Fcm | null } => {
	const { FCM_CREDENTIALS_FILE, FCM_API_BASE } = settings(broker);
	return { fcm: FCM_CREDENTIALS_FILE ? new Fcm(readAccount(FCM_CREDENTIALS_FILE), FCM_API_BASE) : null };
});
export const fcmOf = (broker: ServiceBroker): Fcm | null => holderOf(broker).fcm;
