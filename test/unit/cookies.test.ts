// Cookies as they are written and read: what a browser is told to keep to itself, and what somebody has put beside ours.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COOKIES, cookieOf } from "../../mixins/cookies.ts";
import { makeCookies } from "../../services/api/session-cookies.ts";

const tokens = { accessToken: `x.${Buffer.from(JSON.stringify({ sid: "s" })).toString("base64url")}.x`, refreshToken: "r", expiresIn: 600 };
const made = (secure: boolean, home = "") =>
	makeCookies({ secret: Buffer.alloc(32), secure, home, ttlRefresh: 60, isAllowed: () => false })
		.put(tokens)
		.filter((value) => value.startsWith("reloop_"));

test("cookies are for https alone where the platform is", () => {
	assert.equal(made(true).length, 3);
	for (const line of made(true)) assert.match(line, /; Secure$/);
	for (const line of made(false)) assert.doesNotMatch(line, /Secure/);
});

test("cookies for one path are for that path as browsers see it", () => {
	const paths = (home: string) => made(true, home).map((line) => /Path=([^;]*)/.exec(line)?.[1]);
	assert.deepEqual(paths(""), ["/", "/api/auth/refresh", "/"]);
	assert.deepEqual(paths("/reloop"), ["/", "/reloop/api/auth/refresh", "/"]);
});

describe("a cookie", () => {
	const read = (cookie: string | undefined) => cookieOf({ headers: cookie === undefined ? {} : { cookie } }, COOKIES.access);
	test("is found by its whole name", () => {
		assert.equal(read("a=1; reloop_at=token;b=2"), "token");
		assert.equal(read("reloop_at=a=b"), "a=b");
		for (const none of [undefined, "", "reloop_at", "reloop_at=", "xreloop_at=1", "reloop_atx=1", "; ;"])
			assert.equal(read(none), undefined, none);
	});
	test("that is there twice is none, unless both say the same", () => {
		assert.equal(read("reloop_at=ours; reloop_at=theirs"), undefined);
		assert.equal(read("reloop_at=ours; reloop_at=ours"), "ours");
	});
});
