// What identity decides: rotation, throttles, passwords, e-mails, when keys come and go. Nothing here touches a clock.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import { newKeyDue, PUBLISH_AHEAD_MS, SIGNS_DAYS, signingKey, timesOfNewKey } from "../../services/identity/domain/keys.ts";
import type { KeyTimes } from "../../services/identity/domain/keys.ts";
import {
	acceptEmail,
	acceptPassword,
	maySignIn,
	normalizeEmail,
	THROTTLE_WINDOW_MS,
	throttled,
	throttlesTimes,
} from "../../services/identity/domain/login.ts";
import type { RefreshUse } from "../../services/identity/domain/rotation.ts";
import { FORGIVEN_MS, rotation } from "../../services/identity/domain/rotation.ts";
import { commonPasswords } from "../../services/identity/node.ts";
import { KEY_REFRESH_MS } from "../../mixins/token/keys.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const at = (ms: number) => new Date(NOW.getTime() + ms);
const iso = (ms: number) => at(ms).toISOString();
const DAY = 86_400_000;

describe("the use of a refresh token", () => {
	const use = (over: Partial<RefreshUse> = {}): RefreshUse => ({
		usedAt: null,
		successorUsed: false,
		usedDevice: null,
		askingDevice: "phone/1",
		endedAt: null,
		expiresAt: iso(DAY),
		...over,
	});
	const used = (over: Partial<RefreshUse> = {}) => use({ usedAt: iso(-1000), usedDevice: "phone/1", ...over });

	test("a token not used yet is rotated, from whatever client", () => {
		assert.equal(rotation(use(), NOW), "rotate");
	});
	test("the client that used it may ask again for ten seconds", () => {
		assert.equal(rotation(used(), NOW), "repeat");
		assert.equal(rotation(used({ usedAt: iso(-FORGIVEN_MS) }), NOW), "repeat");
		assert.equal(rotation(used({ usedAt: iso(-FORGIVEN_MS - 1) }), NOW), "reuse");
	});
	test("another client is not forgiven", () => {
		assert.equal(rotation(used({ askingDevice: "laptop/1" }), NOW), "reuse");
	});
	test("nobody is forgiven once the successor was used", () => {
		assert.equal(rotation(used({ successorUsed: true }), NOW), "reuse");
	});
	test("a session that has ended or run out is refused, not ended again", () => {
		assert.equal(rotation(used({ endedAt: iso(0), successorUsed: true }), NOW), "refuse");
		assert.equal(rotation(use({ expiresAt: iso(0) }), NOW), "refuse");
		assert.equal(rotation(use({ expiresAt: iso(1) }), NOW), "rotate");
	});
});

describe("throttles", () => {
	const none = { count: 0, oldest: null };
	const limits = throttlesTimes(1);

	test("the tenth wrong password of an account from one address closes it until the first of them is fifteen minutes old", () => {
		const failures = (count: number) => ({
			account: { count, oldest: count >= 10 ? iso(-60_000) : null },
			address: { count, oldest: null },
		});
		assert.equal(throttled(failures(9), 0, limits, NOW), 0);
		assert.equal(throttled(failures(10), 0, limits, NOW), (THROTTLE_WINDOW_MS - 60_000) / 1000);
	});
	test("an address has a hundred wrong ones over all accounts", () => {
		assert.equal(throttled({ account: none, address: { count: 99, oldest: null } }, 0, limits, NOW), 0);
		assert.equal(throttled({ account: none, address: { count: 100, oldest: iso(-THROTTLE_WINDOW_MS + 5_000) } }, 0, limits, NOW), 5);
	});
	test("tries under way count as wrong ones: they could all be", () => {
		assert.equal(throttled({ account: none, address: { count: 60, oldest: null } }, 39, limits, NOW), 0);
		assert.equal(throttled({ account: none, address: { count: 60, oldest: null } }, 40, limits, NOW), 1);
	});
	test("the factor multiplies them, and never down to nothing", () => {
		assert.deepEqual(throttlesTimes(2), { account: 20, address: 200 });
		assert.deepEqual(throttlesTimes(0.001), { account: 1, address: 1 });
	});
});

describe("passwords", () => {
	const refused = (password: string) => {
		try {
			acceptPassword(password, commonPasswords);
			return undefined;
		} catch (error) {
			assert.ok(isProblem(error, "validation"));
			return error.data.errors?.[0];
		}
	};
	test("at least three thousand of the most common are refused, in any case of letters", () => {
		assert.ok(commonPasswords.size >= 3000);
		for (const password of ["password", "12345678", "qwertyuiop", "iloveyou", "Password1", "password123", "PASSWORD", "trustno1"])
			assert.deepEqual([refused(password)?.path, refused(password)?.code], ["password", "common"], password);
	});
	test("there are no other rules: spaces, one kind of letter, any script", () => {
		for (const password of ["correct horse battery staple", "  leading and trailing  ", "αβγδεζηθ", "zzyxwvutqq"])
			assert.equal(refused(password), undefined, password);
	});
});

describe("e-mail addresses", () => {
	test("are trimmed, NFKC-normalised and lower-cased as a whole; plus-tags are kept", () => {
		assert.equal(normalizeEmail("  Ana.Silva+Tag@Example.ORG "), "ana.silva+tag@example.org");
		assert.equal(normalizeEmail("ａｎａ@example.org"), "ana@example.org");
	});
	test("must still be one address after that", () => {
		for (const email of ["a＠b@c.org", `${"ﷺ".repeat(60)}@example.org`]) {
			assert.throws(
				() => acceptEmail(email),
				(error) => isProblem(error, "validation") && error.data.errors?.[0]?.path === "email",
			);
		}
		assert.equal(acceptEmail("ana@EXAMPLE.org"), "ana@example.org");
	});
});

describe("who may sign in", () => {
	const refusal = (state: Parameters<typeof maySignIn>[0]["state"], bannedUntil: string | null = null) => {
		try {
			maySignIn({ state, bannedUntil });
			return undefined;
		} catch (error) {
			assert.ok(isProblem(error));
			return error;
		}
	};
	test("the unverified and who must change the password may", () => {
		for (const state of ["unverified", "active", "mustChangePassword"] as const) assert.equal(refusal(state), undefined);
	});
	test("the banned are told until when", () => {
		assert.equal(refusal("banned", iso(DAY))?.type, "banned");
		assert.equal(refusal("banned", iso(DAY))?.data.until, iso(DAY));
	});
	test("the trashed and purged are as unknown", () => {
		for (const state of ["trashed", "purged"] as const) assert.equal(refusal(state)?.type, "invalid-credentials");
	});
});

describe("signing keys", () => {
	test("the first key signs at once", () => {
		const first = timesOfNewKey([], NOW);
		assert.equal(signingKey([first], NOW), first);
		assert.equal(newKeyDue([first], NOW), false);
		assert.equal(newKeyDue([], NOW), true);
	});
	test("the next is published for longer than verifiers and caches keep keys before it signs, and the old one for a week after", () => {
		const first = timesOfNewKey([], NOW);
		const due = at(SIGNS_DAYS * DAY);
		assert.equal(newKeyDue([first], at(SIGNS_DAYS * DAY - 1)), false);
		assert.equal(newKeyDue([first], due), true);
		const second = timesOfNewKey([first], due);
		assert.ok(PUBLISH_AHEAD_MS > 4 * KEY_REFRESH_MS);
		assert.equal(second.signsFrom, iso(SIGNS_DAYS * DAY + PUBLISH_AHEAD_MS));
		assert.equal(signingKey([first, second], due), first);
		assert.equal(signingKey([first, second], new Date(second.signsFrom)), second);
		assert.ok(Date.parse(first.retiredAt) - Date.parse(second.signsFrom) > 6 * DAY);
	});
	test("there is always a key to sign with, after a sleep of any length", () => {
		for (let hours = 0; hours < 60 * 24; hours += 1) {
			const keys: KeyTimes[] = [timesOfNewKey([], NOW)];
			const woken = at(hours * 3_600_000);
			const living = (now: Date) => keys.filter((key) => Date.parse(key.retiredAt) > now.getTime());
			if (newKeyDue(living(woken), woken)) keys.push(timesOfNewKey(living(woken), woken));
			for (let minutes = 0; minutes <= 60; minutes += 5) {
				const now = new Date(woken.getTime() + minutes * 60_000);
				assert.ok(signingKey(living(now), now), `after ${hours} h and ${minutes} min`);
			}
		}
	});
});
