// The table of problems, and what becomes of errors that are none of ours.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceBroker } from "moleculer";
import { Errors } from "moleculer";
import { isProblem, problem, toProblem } from "../../services/contracts/errors.ts";
import { problems } from "../../services/contracts/problems.ts";
import type { ProblemCode } from "../../services/contracts/problems.ts";

const where = { instance: "/api/groups", requestId: "r-1" };
const secret = "select * from accounts at /srv/store.ts password=hunter2";

test("a problem becomes the object of RFC 9457 with our fields", () => {
	assert.deepEqual(toProblem(problem("not-found"), where), {
		type: "urn:reloop:problem:not-found",
		title: "Not found",
		status: 404,
		detail: "There is no such thing here.",
		instance: "/api/groups",
		code: "not-found",
		requestId: "r-1",
	});
});

test("a problem's own detail, field errors and extras are told, but cannot take the place of what is fixed", () => {
	const errors = [{ path: "name", code: "required", message: "is required" }];
	const wire = toProblem(
		problem("validation", {
			detail: "Look again.",
			errors,
			until: "2026-01-01T00:00:00Z",
			status: 200,
			code: "fine",
			type: "x",
			requestId: "mine",
		}),
		where,
	);
	assert.equal(wire.detail, "Look again.");
	assert.deepEqual(wire.errors, errors);
	assert.equal(wire.until, "2026-01-01T00:00:00Z");
	assert.deepEqual([wire.status, wire.code, wire.type, wire.requestId], [422, "validation", "urn:reloop:problem:validation", "r-1"]);
});

test("what can be tried again says when", () => {
	assert.equal(toProblem(problem("unavailable"), where).retryAfter, 1);
	assert.equal(toProblem(problem("rate-limited", { retryAfter: 30 }), where).retryAfter, 30);
	assert.equal("retryAfter" in toProblem(problem("conflict"), where), false);
});

test("every problem has a status of an error, a title and a sentence", () => {
	for (const [code, { status, title, detail }] of Object.entries(problems)) {
		assert.match(code, /^[a-z][a-z-]*[a-z]$/);
		assert.ok(status >= 400 && status < 600, code);
		assert.ok(title.length > 2 && detail.endsWith("."), code);
		assert.equal(toProblem(problem(code as ProblemCode), where).status, status);
	}
});

test("problems are told apart by type, also after they crossed the wire", () => {
	const thrown = problem("rank");
	assert.ok(isProblem(thrown) && isProblem(thrown, "rank") && !isProblem(thrown, "banned"));
	const wire = new Errors.Regenerator();
	wire.init({ nodeID: "there" } as ServiceBroker);
	const crossed = wire.restore(JSON.parse(JSON.stringify(wire.extractPlainError(thrown))) as Errors.PlainMoleculerError, {
		sender: "there",
	});
	assert.ok(isProblem(crossed, "rank"));
	assert.deepEqual(toProblem(crossed, where), toProblem(thrown, where));
});

test("an error that only looks a little like a problem is none", () => {
	for (const error of [
		null,
		undefined,
		"not-found",
		{ type: "not-found" },
		Object.assign(new Error("x"), { type: "not-found", code: 404 }),
		new Errors.MoleculerError("x", 200, "not-found"),
		new Errors.MoleculerError("x", 404, "toString"),
	]) {
		assert.equal(isProblem(error), false);
	}
});

test("an unknown error is internal, and nothing of it is told", () => {
	for (const error of [
		new Error(secret),
		new TypeError(secret),
		secret,
		{ message: secret, detail: secret, data: { secret } },
		undefined,
		null,
		new Errors.MoleculerError(secret, 418, secret, { secret }),
		Object.assign(new Error(secret), { code: "23505", detail: secret, table: "accounts", status: 409 }),
	]) {
		const wire = toProblem(error, where);
		assert.deepEqual([wire.status, wire.code], [500, "internal"]);
		assert.ok(!JSON.stringify(wire).includes("hunter2"));
	}
});

const coded = (code: string) => Object.assign(new Error(secret), { code });
const typed = (type: string) => Object.assign(new Error(secret), { type });
const named = (name: string) => Object.assign(new Error(secret), { name });
const foreign: [string, unknown, ProblemCode][] = [
	["no node offers the service", new Errors.ServiceNotFoundError({ action: secret }), "unavailable"],
	["no node offers it now", new Errors.ServiceNotAvailableError({ action: secret }), "unavailable"],
	["a call took too long", new Errors.RequestTimeoutError({ action: secret, nodeID: "n" }), "unavailable"],
	["a call was skipped", new Errors.RequestSkippedError({ action: secret, nodeID: "n" }), "unavailable"],
	["a call was rejected", new Errors.RequestRejectedError({ action: secret, nodeID: "n" }), "unavailable"],
	["a queue is full", new Errors.QueueIsFullError({ action: secret, nodeID: "n", size: 1, limit: 1 }), "unavailable"],
	["calls go in a circle", new Errors.MaxCallLevelError({ nodeID: "n", level: 100 }), "internal"],
	["Moleculer's own validation", new Errors.ValidationError(secret, "VALIDATION_ERROR", [{ actual: secret }]), "validation"],
	["a body that is too large", typed("entity.too.large"), "too-large"],
	["a body that is no JSON", typed("entity.parse.failed"), "malformed"],
	["a body in a coding nobody asked for", typed("encoding.unsupported"), "unsupported-media-type"],
	["a body in another alphabet", typed("charset.unsupported"), "unsupported-media-type"],
	["a body that broke off", typed("request.aborted"), "malformed"],
	["the gateway's own not found", named("NotFoundError"), "not-found"],
	["the gateway's own bad request", named("BadRequestError"), "malformed"],
	["the gateway's own too large", named("PayloadTooLarge"), "too-large"],
	["a path that cannot be decoded", new URIError(secret), "malformed"],
	["the database refuses connections", coded("ECONNREFUSED"), "unavailable"],
	["the database was stopped", coded("57P01"), "unavailable"],
	["the database is starting", coded("57P03"), "unavailable"],
	["the connection broke", coded("08006"), "unavailable"],
	["the database has no connection left", coded("53300"), "unavailable"],
	["two transactions waited for each other", coded("40P01"), "unavailable"],
	["the pool has no connection in time", new Error("timeout exceeded when trying to connect"), "unavailable"],
	["the connection ended", new Error("Connection terminated unexpectedly"), "unavailable"],
];
for (const [what, error, code] of foreign) {
	test(`${what}: ${problems[code].status} ${code}, without a word of the error`, () => {
		const wire = toProblem(error, where);
		assert.deepEqual([wire.code, wire.status], [code, problems[code].status]);
		assert.ok(!JSON.stringify(wire).includes("hunter2"));
		assert.ok(!("errors" in wire));
	});
}
