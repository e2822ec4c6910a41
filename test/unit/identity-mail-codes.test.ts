// Codes and links in mails: how long they live, and what they open.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import type { Mailed } from "../../services/identity/domain/mail-codes.ts";
import { acceptTimeZone } from "../../mixins/time-zone.ts";
import {
	lifetimes,
	opensPassword,
	proofOf,
	takesCodes,
	takesLinks,
	TRIES,
	TRIES_A_DAY,
} from "../../services/identity/domain/mail-codes.ts";

const now = new Date("2026-03-01T10:00:00.000Z");
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const mailed = (more: Partial<Mailed> = {}): Mailed => ({
	purpose: "reset",
	tries: 0,
	triesOfDay: 0,
	createdAt: now.toISOString(),
	codeUntil: at(600).toISOString(),
	linkUntil: at(1800).toISOString(),
	...more,
});

test("a code that verifies lives ten minutes and its link a day; both of a reset half an hour", () => {
	assert.deepEqual(lifetimes("verify", undefined), { code: 600, link: 86_400 });
	assert.deepEqual(lifetimes("change", undefined), { code: 600, link: 86_400 });
	assert.deepEqual(lifetimes("reset", undefined), { code: 1800, link: 1800 });
	assert.deepEqual([lifetimes("verify", 2).code, lifetimes("reset", 2)], [2, { code: 2, link: 2 }]);
});

test("a code is dead after five wrong ones or its time; the link is not guessed away", () => {
	assert.ok(takesCodes(mailed({ tries: TRIES - 1 }), 1, now));
	assert.ok(!takesCodes(mailed({ tries: TRIES }), 1, now));
	assert.ok(takesCodes(mailed(), 1, at(599)));
	assert.ok(!takesCodes(mailed(), 1, at(600)));
	assert.ok(takesLinks(mailed({ tries: TRIES, triesOfDay: TRIES_A_DAY }), at(1799)));
	assert.ok(!takesLinks(mailed(), at(1800)));
});

test("after fifty wrong codes in a day an account has links alone, wherever they came from", () => {
	assert.ok(takesCodes(mailed({ triesOfDay: TRIES_A_DAY - 1 }), 1, now));
	assert.ok(!takesCodes(mailed({ triesOfDay: TRIES_A_DAY }), 1, now));
});

test("a verification opens a new password for as long as a reset would", () => {
	assert.ok(opensPassword(mailed({ purpose: "verify" }), undefined, at(1799)));
	assert.ok(!opensPassword(mailed({ purpose: "verify" }), undefined, at(1800)));
	assert.ok(!opensPassword(mailed({ purpose: "change" }), undefined, now));
});

test("either a code with its address, or a token alone", () => {
	assert.deepEqual(proofOf({ email: "a@b", code: "123 456" }), { email: "a@b", code: "123456" });
	assert.deepEqual(proofOf({ token: "t" }), { token: "t" });
	for (const wrong of [{}, { email: "a@b" }, { code: "1" }, { email: "a@b", code: "1", token: "t" }, { email: "a@b", token: "t" }])
		assert.throws(
			() => proofOf(wrong),
			(error) => isProblem(error, "validation"),
		);
});

test("a time zone is one of the IANA's", () => {
	for (const name of ["Europe/Lisbon", "Asia/Baghdad", "UTC"]) acceptTimeZone(name);
	for (const name of ["Lisbon", "+01:00", "Europe/", "../etc", ""])
		assert.throws(
			() => acceptTimeZone(name),
			(error) => isProblem(error, "validation"),
		);
});
