// The identity node alone on a database of its own, and people who sign up and in: what its tests are told with.
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import { callAction } from "../../mixins/call.ts";
import { database } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { tokens } from "../../mixins/token/tokens.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import type { ProblemCode } from "../../services/contracts/problems.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { SignedIn } from "../../services/contracts/identity.ts";
import type { ActionName, Answer, Meta, ParamsIn } from "../../services/contracts/index.ts";
import accounts from "../../services/identity/accounts.service.ts";
import audit from "../../services/identity/audit.service.ts";
import clients from "../../services/identity/clients.service.ts";
import terms from "../../services/identity/terms.service.ts";
import auth from "../../services/identity/auth.service.ts";
import identity from "../../services/identity/identity.service.ts";
import mfa from "../../services/identity/mfa.service.ts";
import passkeys from "../../services/identity/passkeys.service.ts";
import profiles from "../../services/identity/profiles.service.ts";
import sessions from "../../services/identity/sessions.service.ts";
import users from "../../services/identity/users.service.ts";
import { TEST_SECRET_KEY, testDatabase } from "./database.ts";
import { showErrors } from "./errors.ts";

export const MINUTE = 60_000;
export const DAY = 86_400_000;
export const PASSWORD = "three green bottles";
export const newEmail = () => `${randomUUID().slice(0, 13)}@example.org`;

let hosts = 0;
/** An address nobody had before: throttles of one test are not another's. */
export const newAddress = () => `10.${(hosts >> 8) & 255}.${hosts++ & 255}.7`;

/** A client: its address and what it calls itself, the token it has, and an Idempotency-Key. */
interface From {
	address?: string;
	userAgent?: string;
	token?: string;
	key?: string;
}

/** Answers the problem. */
export async function refusedWith(code: ProblemCode, promise: Promise<unknown>): Promise<{ data: Record<string, unknown> }> {
	let problem: unknown;
	await assert.rejects(promise, (error) => {
		problem = error;
		return isProblem(error, code) || assert.fail(`expected ${code}, got ${String(error)}`);
	});
	return problem as { data: Record<string, unknown> };
}

/** Where mails are written. */
const dataDir = mkdtempSync(join(tmpdir(), "reloop-identity-"));

/** One process with the identity node. */
async function start(): Promise<ServiceBroker> {
	const env = readEnv({ NODE_ENV: "test", DATA_DIR: dataDir, SECRET_KEY: TEST_SECRET_KEY, LOG_LEVEL: "fatal" });
	const made = new ServiceBroker(brokerOptions(env, { checkAnswers: true }));
	provideSettings(made, env);
	for (const schema of [identity, accounts, auth, sessions, profiles, mfa, passkeys, users, audit, clients, terms])
		made.createService(schema);
	tokens(made);
	await made.start();
	showErrors(made);
	return made;
}

const sql = <R = Record<string, unknown>>(text: string, values: unknown[] = []) => database("identity").query<R>(text, values);

/** What was told about an account, oldest first. */
const facts = (aggregate: string) =>
	sql<{ type: string; payload: Record<string, unknown>; requestId: string }>(
		`select type, payload, request_id as "requestId" from outbox where aggregate = $1 order by id`,
		[aggregate],
	);

/** For a whole file; `start` starts another process on the same database. */
export async function identityHouse() {
	const db = await testDatabase(["identity"]);
	const broker = await start();
	after(async () => {
		await broker.stop();
		await db.close();
		rmSync(dataDir, { recursive: true, force: true });
	});

	async function call<A extends ActionName>(name: A, params: ParamsIn<A>, from: From = {}): Promise<Answer<A>> {
		const { address = newAddress(), userAgent = "phone/1", token, key } = from;
		const principal = token ? await tokens(broker).verify(token) : undefined;
		const idempotency = key
			? { key, scope: `${address} ${name}`, hash: createHash("sha256").update(JSON.stringify(params)).digest("base64url") }
			: undefined;
		const meta: Meta = { address, userAgent, requestId: "a-request", principal, idempotency };
		return callAction(broker, name, params, { meta });
	}
	/** Somebody new. */
	async function person(from: From = {}): Promise<SignedIn & { email: string }> {
		const email = newEmail();
		return { email, ...(await call("auth.register", { email, password: PASSWORD, displayName: "Ana" }, from)) };
	}
	/** With the password, which is enough: the account has no second factor. */
	async function login(email: string, password = PASSWORD, from: From = {}): Promise<SignedIn> {
		const answer = await call("auth.login", { email, password }, from);
		return "mfaRequired" in answer ? assert.fail("the account has a second factor") : answer;
	}
	const refresh = (refreshToken: string, from: From = {}) => call("auth.refresh", { refreshToken }, from);
	return { broker, start, sql, facts, call, person, login, refresh };
}
