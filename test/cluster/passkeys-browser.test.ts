// Passkeys as people have them: in a real browser, whose authenticator is a virtual one (CDP WebAuthn), on a page of the running app.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import type { Browser, CDPSession, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { findProgram } from "../../config/programs.ts";
import type { Reply, TestApp } from "../support/kit.ts";
import { http, is, person, startTestApp } from "../support/kit.ts";
import { needs } from "../support/servers.ts";

/** What a page does: asks for options, has the authenticator answer, sends that. Runs in the browser. */
interface Asked {
	kind: "create" | "get";
	options: unknown;
}

describe("passkeys in a browser", { skip: needs("chromium") }, () => {
	let app: TestApp;
	let browser: Browser;
	let page: Page;
	let devtools: CDPSession;
	let authenticatorId: string;

	before(async () => {
		app = await startTestApp();
		browser = await chromium.launch({ executablePath: findProgram("chromium") as string, args: ["--no-sandbox"] });
		page = await browser.newPage();
		// Any page of the origin will do: what it says is its scripts' business.
		await page.goto(`${app.url}/live`);
		devtools = await page.context().newCDPSession(page);
		await devtools.send("WebAuthn.enable");
		authenticatorId = await newAuthenticator();
	});
	after(async () => {
		await browser?.close();
		await app?.stop();
	});

	/** A phone that knows its owner: it keeps passkeys, and each use is verified. */
	const newAuthenticator = async () => {
		const options = {
			protocol: "ctap2",
			transport: "internal",
			hasResidentKey: true,
			hasUserVerification: true,
			isUserVerified: true,
			automaticPresenceSimulation: true,
		} as const;
		return (await devtools.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
	};
	const verifies = (isUserVerified: boolean) => devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
	const credentials = async () => (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;

	/** What `navigator.credentials` makes of options; the name of the error where it refuses. */
	const asked = (kind: Asked["kind"], options: unknown) =>
		page.evaluate(
			async ({ kind, options }: Asked) => {
				// The page's own words: this function runs there, where TypeScript does not know it.
				const { PublicKeyCredential: Credential, navigator } = globalThis as unknown as {
					PublicKeyCredential: Record<string, (json: unknown) => unknown>;
					navigator: { credentials: Record<string, (options: unknown) => Promise<{ toJSON(): unknown }>> };
				};
				const read = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
				try {
					const made = await navigator.credentials[kind]?.({ publicKey: Credential[read]?.(options) });
					return { response: made?.toJSON() };
				} catch (error) {
					return { refused: (error as Error).name };
				}
			},
			{ kind, options },
		);

	const post = (path: string, body: unknown = {}) => http(app.url, path, { body });
	const request = async (body = {}) => is(await post("/api/auth/passkeys/options", body), 200).body;
	async function enrolled() {
		const ana = await person(app.url, "Ana");
		const enrol = async (): Promise<{ refused?: string; reply?: Reply }> => {
			const { response, refused } = await asked("create", is(await ana.post("/api/auth/mfa/passkeys/options"), 200).body);
			if (refused) return { refused };
			return { reply: await ana.post("/api/auth/mfa/passkeys", { response, name: "Browser" }) };
		};
		is((await enrol()).reply as Reply, 201);
		return { ana, enrol };
	}
	const forget = async () => {
		await devtools.send("WebAuthn.clearCredentials", { authenticatorId });
	};

	test("one is made, and signs in without a name, an e-mail or a password", async () => {
		await forget();
		const { ana } = await enrolled();
		const [kept] = await credentials();
		assert.deepEqual([kept?.isResidentCredential, kept?.rpId], [true, "localhost"]);
		const { response } = await asked("get", await request());
		const { body } = is(await post("/api/auth/passkeys/login", { response }), 200);
		assert.equal(body.account.id, ana.accountId);
		assert.equal(decodeJwt(body.tokens.accessToken).acr, "2");
		is(await post("/api/auth/passkeys/login", { response }), 401, "invalid-credentials");
	});

	test("is not made twice on one device: the browser itself refuses", async () => {
		await forget();
		const { enrol } = await enrolled();
		assert.deepEqual(await enrol(), { refused: "InvalidStateError" });
	});

	test("is the second step of a login", async () => {
		await forget();
		const { ana } = await enrolled();
		const { ticket, options } = is(await post("/api/auth/login", { email: ana.email, password: ana.password }), 200).body;
		const { response } = await asked("get", options);
		const { body } = is(await post("/api/auth/mfa/login", { ticket, method: "passkey", response }), 200);
		assert.equal(body.account.id, ana.accountId);
	});

	test("steps up", async () => {
		await forget();
		const { ana } = await enrolled();
		const { response } = await asked("get", await request());
		is(await ana.post("/api/auth/step-up", { response }), 200);
	});

	test("is not used by who does not unlock the device", async () => {
		await forget();
		await enrolled();
		await verifies(false);
		assert.deepEqual(await asked("get", await request()), { refused: "NotAllowedError" });
		// Asked for less by a page that lies, the browser gives an answer, and we do not take it.
		const { response } = await asked("get", { ...(await request()), userVerification: "discouraged" });
		assert.ok(response);
		is(await post("/api/auth/passkeys/login", { response }), 401, "invalid-credentials");
		await verifies(true);
	});

	test("that was copied before is noticed when its count goes back", async () => {
		await forget();
		await enrolled();
		const [copy] = await credentials();
		const use = async () => post("/api/auth/passkeys/login", { response: (await asked("get", await request())).response });
		is(await use(), 200);
		is(await use(), 200);
		await forget();
		await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: copy as NonNullable<typeof copy> });
		is(await use(), 401, "invalid-credentials");
	});

	test("is of no use on a page of another origin", async () => {
		await forget();
		await enrolled();
		const options = await request();
		// The same server under another name: a browser takes the name for another site.
		const elsewhere = await browser.newPage();
		await elsewhere.goto(`${app.url.replace("localhost", "127.0.0.1")}/live`);
		const there = await elsewhere.evaluate(async (options: unknown) => {
			const { PublicKeyCredential: Credential, navigator } = globalThis as unknown as {
				PublicKeyCredential: { parseRequestOptionsFromJSON(json: unknown): unknown };
				navigator: { credentials: { get(options: unknown): Promise<unknown> } };
			};
			try {
				await navigator.credentials.get({ publicKey: Credential.parseRequestOptionsFromJSON(options) });
				return "answered";
			} catch (error) {
				return (error as Error).name;
			}
		}, options);
		assert.equal(there, "SecurityError");
		await elsewhere.close();
	});
});
