// What a path, a query and a body may say, and that none of them can say it for another.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressReader, limitKey } from "../../mixins/address.ts";
import { canonical, fingerprint, parseKey } from "../../services/api/idempotency-key.ts";
import { bodyParams, pathParams, queryParams } from "../../services/api/params.ts";
import type { CompiledRoute } from "../../services/api/compiled-route.ts";
import { makeRouter } from "../../services/api/router.ts";
import type { Route } from "../../services/api/route.ts";
import { array, bool, int, text, uuid } from "../../services/contracts/schema.ts";
import { isProblem } from "../../services/contracts/errors.ts";

const ID = "01890a5d-ac96-774b-bcce-b302099a8057";
const params = { thingId: uuid, seq: int(1), all: bool, ids: array(uuid), q: text(0, 10) };
const compiled = (over: Partial<Record<keyof Route, unknown>>): CompiledRoute =>
	makeRouter([{ method: "GET", path: "/things/:thingId/:seq", action: "things.show", access: "anyone", ...over } as unknown as Route], {
		"things.show": { params, answer: bool, published: true },
	}).routes[0] as CompiledRoute;
const get = compiled({});
const post = compiled({ method: "POST", query: ["all"], fixed: { q: "x" } });
const query = (route: CompiledRoute, text: string) => {
	const read = {};
	queryParams(route, text, read);
	return read;
};
const refused = (code: Parameters<typeof isProblem>[1], path?: string) => (error: unknown) =>
	isProblem(error, code) && (path === undefined || error.data.errors?.[0]?.path === path);

describe("a path", () => {
	it("gives values of the action's kind", () => {
		assert.deepEqual(pathParams(get, [ID, "7"]), { thingId: ID, seq: 7 });
		assert.deepEqual(pathParams(get, [ID.replaceAll("-", "%2D"), "7"]), { thingId: ID, seq: 7 });
	});

	it("that can name nothing is 404", () => {
		for (const values of [
			["1", "7"],
			[`${ID}0`, "7"],
			[ID, "seven"],
			[ID, "-1"],
			[ID, "1e3"],
			[ID, "9".repeat(20)],
			["..", "7"],
			["%2e%2e%2f", "7"],
		])
			assert.throws(() => pathParams(get, values), refused("not-found"), values.join("/"));
	});

	it("that cannot be decoded is 400", () => {
		for (const value of ["%", "%zz", "%ff", "%c0%80"]) assert.throws(() => pathParams(get, [ID, value]), refused("malformed"), value);
	});
});

describe("a query", () => {
	it("gives values of the action's kind", () => {
		assert.deepEqual(query(get, `all=true&ids=${ID},${ID}&q=a+b%26`), { all: true, ids: [ID, ID], q: "a b&" });
		assert.deepEqual(query(get, `ids=${ID}&ids=a`), { ids: [ID, "a"] });
		assert.deepEqual(query(get, ""), {});
		assert.deepEqual(query(get, "ids="), { ids: [] });
	});

	it("leaves to the contract what is of no kind", () => {
		assert.deepEqual(query(get, "all=yes"), { all: "yes" });
		assert.deepEqual(query(compiled({ path: "/things/:thingId" }), "seq=0x10"), { seq: "0x10" });
		assert.deepEqual(query(compiled({ path: "/things/:thingId" }), "seq=-3.5"), { seq: -3.5 });
	});

	it("refuses names it does not take, with the name", () => {
		for (const name of ["nope", "__proto__", "constructor", "q[0]", "thingId", "ids[]"])
			assert.throws(() => query(get, `${encodeURIComponent(name)}=1`), refused("validation", name), name);
	});

	it("refuses a repeated name that is no list", () => {
		assert.throws(() => query(get, "q=a&q=b"), refused("validation", "q"));
	});

	it("that cannot be decoded is 400", () => {
		for (const text of ["q=%ff", "q=%", "%zz=1", "a&".repeat(200)]) assert.throws(() => query(get, text), refused("malformed"), text);
	});

	it("reaches only what the row names where the method has a body", () => {
		assert.deepEqual(query(post, "all=true"), { all: true });
		assert.throws(() => query(post, `ids=${ID}`), refused("validation", "ids"));
	});
});

describe("a body", () => {
	it("cannot say what the path, the query or the row says", () => {
		for (const name of ["thingId", "seq", "all", "q"])
			assert.throws(() => bodyParams(post, { [name]: 1 }, {}), refused("validation", name), name);
		const read = {};
		bodyParams(post, { ids: [ID] }, read);
		assert.deepEqual(read, { ids: [ID] });
	});
});

describe("an Idempotency-Key", () => {
	it("is a structured string or bare characters", () => {
		assert.equal(parseKey("abc-123"), "abc-123");
		assert.equal(parseKey('"abc 123"'), "abc 123");
		assert.equal(parseKey('"a\\"b\\\\c"'), 'a"b\\c');
		assert.equal(parseKey("x".repeat(255)).length, 255);
	});

	it("is refused otherwise", () => {
		for (const key of ["", '""', "a b", '"open', 'a"b', "x".repeat(256), "é", "a, b", `"${"x".repeat(256)}"`])
			assert.throws(() => parseKey(key), refused("idempotency-key-malformed"), key);
	});

	it("has one fingerprint for one JSON value, and another secret has another", () => {
		const secret = Buffer.alloc(32, 1);
		assert.equal(canonical({ b: [1, { d: null, c: "x" }], a: undefined }), '{"b":[1,{"c":"x","d":null}]}');
		assert.equal(fingerprint(secret, { a: 1, b: { c: 2, d: 3 } }), fingerprint(secret, { b: { d: 3, c: 2 }, a: 1 }));
		assert.notEqual(fingerprint(secret, { a: 1 }), fingerprint(secret, { a: "1" }));
		assert.notEqual(fingerprint(secret, { a: [1, 2] }), fingerprint(secret, { a: [2, 1] }));
		assert.notEqual(fingerprint(secret, {}), fingerprint(Buffer.alloc(32, 2), {}));
	});
});

describe("a client's address", () => {
	const read = (trusted: string[], remoteAddress: string, forwarded?: string) =>
		addressReader(trusted)({
			socket: { remoteAddress },
			headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
		} as never);

	it("is the socket's where nobody is trusted", () => {
		assert.equal(read([], "198.51.100.7", "203.0.113.9"), "198.51.100.7");
		assert.equal(read([], "::ffff:198.51.100.7", "203.0.113.9"), "198.51.100.7");
	});

	it("is what the nearest trusted proxy says, not what the client claims", () => {
		assert.equal(read(["10.0.0.0/8"], "10.1.2.3", "203.0.113.9"), "203.0.113.9");
		assert.equal(read(["10.0.0.0/8"], "::ffff:10.1.2.3", "1.1.1.1, 203.0.113.9, 10.9.9.9"), "203.0.113.9");
		assert.equal(read(["10.0.0.0/8"], "198.51.100.7", "203.0.113.9"), "198.51.100.7");
		assert.equal(read(["::1"], "::1", "2001:db8::1"), "2001:db8::1");
		assert.equal(read(["10.0.0.0/8"], "10.1.2.3", "garbage"), "10.1.2.3");
		assert.equal(read(["10.0.0.0/8"], "10.1.2.3"), "10.1.2.3");
	});

	it("counts a whole /64 of IPv6 as one client", () => {
		assert.equal(limitKey("203.0.113.9"), "203.0.113.9");
		assert.equal(limitKey("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2");
		assert.equal(limitKey("2001:db8::1"), "2001:db8:0:0");
		assert.equal(limitKey("::1"), "0:0:0:0");
	});
});
