// The two kinds of push service, as bad as they are told to be: that of browsers (RFC 8030, 8188, 8291, 8292) and FCM HTTP v1 with
// Google's token endpoint (RFC 7523). Both hold what they get against the standards, by code of their own.
import assert from "node:assert/strict";
import { createDecipheriv, createECDH, generateKeyPairSync, hkdfSync, randomBytes, randomUUID } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { importJWK, jwtVerify } from "jose";

/** What it answers: a status, perhaps with headers and a body; or nothing, ever. */
export type Verdict = number | { status: number; headers?: Record<string, string>; body?: unknown } | "hang";

async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => Promise<void>) {
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			answer(request, response, Buffer.concat(chunks)).catch((error: unknown) => {
				faults.push(error);
				response.writeHead(500).end();
			});
		});
	});
	const faults: unknown[] = [];
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		/** Throws where something that came was not as the standards want it. */
		check: () => {
			if (faults.length > 0) throw faults[0];
		},
		stop: async () => {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

function say(response: ServerResponse, verdict: Verdict): void {
	if (verdict === "hang") return;
	const { status, headers = {}, body } = typeof verdict === "number" ? { status: verdict } : verdict;
	response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body === undefined ? "" : JSON.stringify(body));
}

/** What came to a browser. */
export interface Arrived {
	// biome-ignore lint/suspicious/noExplicitAny: tests read messages as apps do, who have no types
	message: any;
	ttl: number;
	urgency: string;
	topic: string;
	/** The key that signed, and what it said of itself. */
	key: string;
	subject: string;
	at: number;
}

class Browser {
	readonly endpoint: string;
	readonly #pair = createECDH("prime256v1");
	readonly #auth = randomBytes(16);
	/** What it was sent, whatever was answered. */
	readonly arrived: Arrived[] = [];
	verdict: (n: number) => Verdict = () => 201;

	constructor(origin: string) {
		this.#pair.generateKeys();
		this.endpoint = `${origin}/push/${randomUUID()}`;
	}

	get subscription() {
		const keys = { p256dh: this.#pair.getPublicKey("base64url"), auth: this.#auth.toString("base64url") };
		return { endpoint: this.endpoint, expirationTime: null, keys };
	}

	/** RFC 8291, section 3.4, over RFC 8188 of one record. */
	open(body: Buffer): unknown {
		const [salt, size, length] = [body.subarray(0, 16), body.readUInt32BE(16), body.readUInt8(20)];
		const theirs = body.subarray(21, 21 + length);
		const record = body.subarray(21 + length);
		assert.ok(record.length <= size && body.length <= 4096, "one record of at most 4096 bytes");
		const secret = this.#pair.computeSecret(theirs);
		const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.#pair.getPublicKey(), theirs]);
		const ikm = Buffer.from(hkdfSync("sha256", secret, this.#auth, info, 32));
		const key = Buffer.from(hkdfSync("sha256", ikm, salt, "Content-Encoding: aes128gcm\0", 16));
		const nonce = Buffer.from(hkdfSync("sha256", ikm, salt, "Content-Encoding: nonce\0", 12));
		const decipher = createDecipheriv("aes-128-gcm", key, nonce).setAuthTag(record.subarray(-16));
		const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
		assert.equal(plain[plain.length - 1], 2, "the last record");
		return JSON.parse(plain.subarray(0, -1).toString("utf8"));
	}
}

export async function webPushServer() {
	const browsers = new Map<string, Browser>();
	let connections = 0;
	const server = await serve(async ({ method, url, headers }, response, body) => {
		connections++;
		const browser = browsers.get(url ?? "");
		if (!browser) return void response.writeHead(404).end();
		assert.equal(method, "POST");
		assert.equal(headers["content-encoding"], "aes128gcm");
		const [, token = "", key = ""] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(headers.authorization ?? "") ?? [];
		const raw = Buffer.from(key, "base64url");
		const jwk = { kty: "EC", crv: "P-256", x: raw.subarray(1, 33).toString("base64url"), y: raw.subarray(33).toString("base64url") };
		const { payload } = await jwtVerify(token, await importJWK(jwk, "ES256"), { audience: server.origin, currentDate: new Date() });
		assert.ok((payload.exp ?? 0) - Date.now() / 1000 <= 86_400, "at most a day");
		browser.arrived.push({
			message: browser.open(body),
			ttl: Number(headers.ttl),
			urgency: String(headers.urgency),
			topic: String(headers.topic),
			key,
			subject: String(payload.sub),
			at: Date.now(),
		});
		say(response, browser.verdict(browser.arrived.length));
	});
	return {
		...server,
		connections: () => connections,
		browser(): Browser {
			const browser = new Browser(server.origin);
			browsers.set(new URL(browser.endpoint).pathname, browser);
			return browser;
		},
	};
}

export interface FcmArrived {
	// biome-ignore lint/suspicious/noExplicitAny: tests read messages as apps do, who have no types
	message: any;
	access: string;
	at: number;
}

const PROJECT = "reloop-test";
const EMAIL = "push@reloop-test.iam.gserviceaccount.com";

/** What FCM says of a token that is gone, as it says it. */
export const fcmError = (status: number, code: string, headers: Record<string, string> = {}): Verdict => ({
	status,
	headers,
	body: {
		error: {
			code: status,
			message: code,
			status: { 404: "NOT_FOUND", 400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 401: "UNAUTHENTICATED" }[status] ?? "INTERNAL",
			details: [{ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode: code }],
		},
	},
});

export async function fcmServer() {
	const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const arrived: FcmArrived[] = [];
	/** Access tokens that are good, until when (ms). */
	const good = new Map<string, number>();
	const fcm = {
		arrived,
		tokens: 0,
		/** Seconds that an access token is good for. */
		lifetime: 3600,
		verdict: (_token: string, _n: number): Verdict => ({ status: 200, body: { name: `projects/${PROJECT}/messages/1` } }),
		tokenVerdict: (): Verdict | undefined => undefined,
		/** Ends all access tokens before their time. */
		revoke: () => good.clear(),
		to: (token: string) => arrived.filter(({ message }) => message.token === token),
	};
	const server = await serve(async ({ method, url, headers }, response, body) => {
		if (url === "/token") {
			const form = new URLSearchParams(body.toString("utf8"));
			assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
			assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
			const { payload, protectedHeader } = await jwtVerify(form.get("assertion") ?? "", publicKey as KeyObject, {
				algorithms: ["RS256"],
				issuer: EMAIL,
				audience: `${server.origin}/token`,
				currentDate: new Date(),
			});
			assert.equal(protectedHeader.kid, "key-1");
			assert.equal(payload.scope, "https://www.googleapis.com/auth/firebase.messaging");
			assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 3600);
			const refused = fcm.tokenVerdict();
			if (refused !== undefined) return say(response, refused);
			fcm.tokens++;
			const access = randomUUID();
			good.set(access, Date.now() + fcm.lifetime * 1000);
			return say(response, { status: 200, body: { access_token: access, expires_in: fcm.lifetime, token_type: "Bearer" } });
		}
		assert.equal(`${method} ${url}`, `POST /v1/projects/${PROJECT}/messages:send`);
		const access = (headers.authorization ?? "").replace("Bearer ", "");
		if ((good.get(access) ?? 0) <= Date.now()) return say(response, fcmError(401, ""));
		const { message } = JSON.parse(body.toString("utf8"));
		for (const value of Object.values(message.data)) assert.equal(typeof value, "string", "FCM takes texts alone");
		arrived.push({ message, access, at: Date.now() });
		say(response, fcm.verdict(message.token, fcm.to(message.token).length));
	});
	return Object.assign(fcm, server, {
		/** The key of the service account, as Google gives it out; changed by `more`. */
		async credentials(folder: string, more: Record<string, unknown> = {}): Promise<string> {
			const file = join(folder, `fcm-${randomUUID()}.json`);
			const key = privateKey.export({ type: "pkcs8", format: "pem" });
			const account = { type: "service_account", project_id: PROJECT, private_key_id: "key-1", private_key: key, client_email: EMAIL };
			await writeFile(file, JSON.stringify({ ...account, token_uri: `${server.origin}/token`, ...more }));
			return file;
		},
	});
}
