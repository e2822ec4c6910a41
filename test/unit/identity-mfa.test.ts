// What second factors decide: pure.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeLimitsTimes, codesWait, kindOf, methodsOf, plainCode, recoveryCode, wentBack } from "../../services/identity/domain/mfa.ts";
import { rotation } from "../../services/identity/domain/rotation.ts";

const now = new Date("2026-03-01T10:00:00.000Z");
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
const none = { count: 0, oldest: null };

describe("a recovery code", () => {
	test("has ten letters in two halves, of none that is taken for another", () => {
		const all = recoveryCode(Uint8Array.from({ length: 10 }, (_, i) => i * 3));
		assert.match(all, /^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/);
		assert.equal(recoveryCode(Uint8Array.from([32, 64, 255, 31, 0, 1, 2, 3, 4, 5])), "00zz0-12345");
	});
	test("is the same however it is written", () => {
		for (const written of ["01abc-xyz98", "01ABC XYZ98", " oIabcxyz98 ", "0labc--xyz98"]) assert.equal(plainCode(written), "01abcxyz98");
	});
	test("is told from a code of the app", () => {
		for (const code of ["123456", "123 456"]) assert.equal(kindOf(code), "totp");
		for (const code of ["01abc-xyz98", "1234567", "12345", "٠١٢٣٤٥"]) assert.equal(kindOf(code), "recovery");
	});
});

describe("wrong codes", () => {
	const limits = codeLimitsTimes(1);
	const wait = (kind: "totp" | "recovery", wrong: Partial<Parameters<typeof codesWait>[1]>) =>
		codesWait(kind, { address: none, day: none, known: false, ...wrong }, limits, now);

	test("from one address may be ten in a quarter of an hour, of either kind", () => {
		assert.equal(wait("totp", { address: { count: 9, oldest: null } }), 0);
		for (const kind of ["totp", "recovery"] as const)
			assert.equal(wait(kind, { address: { count: 10, oldest: ago(100) }, known: true }), 800);
	});
	test("from everywhere may be fifty in a day, which shuts neither known addresses nor recovery codes out", () => {
		const day = { count: 50, oldest: ago(86_000) };
		assert.equal(wait("totp", { day }), 400);
		assert.equal(wait("totp", { day, known: true }), 0);
		assert.equal(wait("recovery", { day }), 0);
	});
	test("follow RATE_LIMIT_FACTOR, down to one", () => {
		assert.deepEqual(codeLimitsTimes(2), { address: 20, day: 100 });
		assert.deepEqual(codeLimitsTimes(0.001), { address: 1, day: 1 });
	});
});

test("a passkey's count goes up, or is always 0", () => {
	for (const [stored, given] of [
		[0, 0],
		[0, 1],
		[5, 6],
		[5, 900],
	] as const)
		assert.equal(wentBack(stored, given), false);
	for (const [stored, given] of [
		[5, 5],
		[5, 4],
		[5, 0],
	] as const)
		assert.equal(wentBack(stored, given), true);
});

test("an account's methods are what it has, the best first", () => {
	assert.deepEqual(methodsOf({ totp: true, passkeys: 2, recoveryCodes: 3 }), ["passkey", "totp", "recovery"]);
	assert.deepEqual(methodsOf({ totp: true, passkeys: 0, recoveryCodes: 0 }), ["totp"]);
});

test("a refresh token that was followed by another without being used is good until that one is used", () => {
	const use = { usedAt: null, usedDevice: null, askingDevice: "phone/1", endedAt: null, expiresAt: ago(-60) };
	assert.equal(rotation({ ...use, successorUsed: false }, now), "rotate");
	assert.equal(rotation({ ...use, successorUsed: true }, now), "reuse");
});
