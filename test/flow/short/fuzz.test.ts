// Garbage at every operation of the OpenAPI document: never a 5xx, always a problem object that gives nothing away, and
// nothing of it is stored. What is sent is made from the document, so a new route is fuzzed the day it is written.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { nodesWithMigrations } from "../../../config/migrations.ts";
import { database } from "../../../mixins/postgres.ts";
import { callAction } from "../../../mixins/call.ts";
import { routes } from "../../../services/api/routes/index.ts";
import { signIn } from "../../support/access/callers.ts";
import type { Person } from "../../support/kit.ts";
import { eventually, http, person, testApp } from "../../support/kit.ts";
import type { Fuzzed, Sent } from "../../support/fuzz/cases.ts";
import { cases, goodRequest, urlOf } from "../../support/fuzz/cases.ts";
import type { OpenApi, Operation } from "../../support/fuzz/document.ts";
import { hasBody, operationsOf, plainBy } from "../../support/fuzz/document.ts";
import { randomJson } from "../../support/fuzz/random.ts";

interface Heard {
	status: number;
	type: string;
	text: string;
}

const app = await testApp();
let ana: Person;
let fuzzed: Fuzzed;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });

before(async () => {
	// An admin: what needs a scope is to be refused for what is said, not for who says it.
	ana = await person(app.url, "Ana");
	await callAction(app.broker, "auth.setRole", { email: ana.email, role: "admin" });
	await signIn(app.url, ana);
	const group = (await ana.post("/api/groups", { name: "Fuzzed", isPublic: true })).body;
	const message = (await ana.post(`/api/groups/${group.id}/messages`, { clientId: "c-1", kind: "text", content: "hello" })).body;
	const document: OpenApi = (await http(app.url, "/api/openapi.json")).body;
	fuzzed = {
		operations: operationsOf(document),
		plain: plainBy(document),
		// What is there gets further than what only could be: other parameters get values made from their schemas.
		ids: { groupId: group.id, seq: String(message.seq), profileId: ana.profileId, emoji: "x" },
		accessToken: ana.accessToken,
	};
});
after(() => agent.destroy());

function send(
	operation: Operation,
	{ method = operation.method, path = urlOf(fuzzed, operation), headers = {}, body }: Omit<Sent, "what" | "right">,
): Promise<Heard> {
	const all: Record<string, string | string[]> = {
		...(operation.signedIn ? { Authorization: `Bearer ${ana.accessToken}` } : {}),
		...(body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) }),
		...headers,
	};
	return new Promise((resolve, reject) => {
		const asked = request(new URL(app.url), { method, path, headers: all, agent, setHost: true }, (answer) => {
			const chunks: Buffer[] = [];
			answer.on("data", (chunk: Buffer) => chunks.push(chunk));
			answer.on("end", () =>
				resolve({
					status: answer.statusCode as number,
					type: answer.headers["content-type"] ?? "",
					text: Buffer.concat(chunks).toString(),
				}),
			);
			answer.on("error", reject);
		});
		asked.on("error", reject);
		asked.end(body);
	});
}

/** Words of stacks, files, SQL and drivers. */
const LEAK =
	/\bat [\w.<>]+ \(|\.[cm]?[jt]s:\d|node_modules|\bselect \S+ from\b|\binsert into\b|\brelation "|\bcolumn "|SQLSTATE|\bpg_|ECONN|TypeError|RangeError|SyntaxError|fastest-validator|moleculer/i;

const ROOT = resolve(import.meta.dirname, "../../..");

function holdsNoSecret(text: string, name: string): void {
	assert.doesNotMatch(text, LEAK, name);
	assert.ok(!text.includes(ROOT), name);
}

function isRight(operation: Operation, { what, right }: Sent, { status, type, text }: Heard): void {
	const name = `${operation.method} ${operation.path} ${what}`;
	assert.ok(right.includes(status), `${name}: ${status}, not ${right.join(" or ")}: ${text.slice(0, 300)}`);
	holdsNoSecret(text, name);
	if (operation.oauth && type.startsWith("application/json")) {
		assert.equal(typeof JSON.parse(text).error, "string", name);
		return;
	}
	assert.equal(type, "application/problem+json", name);
	const problem = JSON.parse(text);
	for (const field of ["type", "title", "detail", "instance", "code", "requestId"])
		assert.equal(typeof problem[field], "string", `${name}: ${field}`);
	assert.equal(problem.status, status, name);
	assert.equal(problem.type, `urn:reloop:problem:${problem.code}`, name);
}

/** How many rows every table of every node has. */
async function rows(): Promise<Record<string, number>> {
	const counts: Record<string, number> = {};
	for (const node of nodesWithMigrations()) {
		const db = database(node);
		const tables = await db.query<{ name: string }>("select tablename as name from pg_tables where schemaname = current_schema()");
		for (const { name } of tables)
			counts[`${node}.${name}`] = (await db.query<{ n: number }>(`select count(*) as n from "${name}"`))[0]?.n ?? -1;
	}
	return counts;
}

async function inTurns<T>(items: Iterable<T>, lanes: number, work: (item: T) => Promise<void>): Promise<void> {
	const rest = items[Symbol.iterator]();
	await Promise.all(
		Array.from({ length: lanes }, async () => {
			for (let next = rest.next(); !next.done; next = rest.next()) await work(next.value);
		}),
	);
}

test("every operation refuses garbage, gives nothing away and stores nothing", async () => {
	const { operations } = fuzzed;
	assert.deepEqual(
		operations.map(({ method, path }) => `${method} ${path}`).sort(),
		routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`).sort(),
		"a route that is not in the document is not fuzzed",
	);
	// What the message of the beginning earned has to arrive first, and its words where they are searched.
	await eventually(async () => {
		const kept = await rows();
		for (const table of ["presence.room_events", "groups.message_words"]) assert.ok((kept[table] ?? 0) > 0, table);
	});
	const before = await rows();
	let sent = 0;
	for (const operation of operations) {
		await inTurns(cases(fuzzed, operation), 8, async (garbage) => {
			isRight(operation, garbage, await send(operation, garbage));
			sent++;
		});
	}
	assert.ok(sent > 2_000, `only ${sent} cases were made`);
	assert.deepEqual(await rows(), before);
});

/** After them there is nobody, or nowhere, to ask on. */
const ENDINGS = ["auth.logout", "groups.leave"];

test("what the document asks for is never a fault of ours, and a POST that is good is kept for its Idempotency-Key", async () => {
	const posts = fuzzed.operations.filter(({ method, id }) => method === "POST" && !ENDINGS.includes(id));
	let kept = 0;
	for (const operation of posts) {
		const good = { ...goodRequest(fuzzed, operation), headers: { "Idempotency-Key": randomUUID() } };
		const [first, second] = [await send(operation, good), await send(operation, good)];
		assert.ok(first.status < 500, `${operation.method} ${operation.path}: ${first.status} ${first.text}`);
		if (first.status >= 300) continue;
		assert.deepEqual(second, first, operation.path);
		kept++;
	}
	assert.ok(kept > 0);
});

test("random JSON is never a fault of ours", async () => {
	const random = randomJson(20_260_701);
	const withBodies = fuzzed.operations.filter((operation) => hasBody(operation) && !ENDINGS.includes(operation.id));
	await inTurns(Array.from({ length: 1_500 }), 8, async () => {
		const operation = withBodies[random.below(withBodies.length)] as Operation;
		const names = Object.keys(fuzzed.plain(operation.body ?? {}).properties ?? {});
		const values = names.filter(() => random.below(4) > 0).map((name) => [name, random.value(3)]);
		const body = JSON.stringify(Object.fromEntries(values));
		const name = `${operation.method} ${operation.path} ${body.slice(0, 500)}`;
		const { status, text } = await send(operation, { body });
		assert.ok(status < 500, `${name}: ${status} ${text.slice(0, 300)}`);
		if (status >= 400) holdsNoSecret(text, name);
	});
});

test("after all of it the platform works as before", async () => {
	assert.equal((await http(app.url, "/ready")).body.status, "ok");
	assert.equal((await ana.get(`/api/groups/${fuzzed.ids.groupId}`)).body.name.length > 0, true);
});
