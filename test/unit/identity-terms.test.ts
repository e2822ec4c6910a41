// Terms in languages, devices by their names, what clients may be given, and keys on demand: decided without a database.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import { granted, notTheirs } from "../../services/identity/domain/clients.ts";
import { deviceName } from "../../services/identity/domain/device.ts";
import { HEARD_AHEAD_MS, retiresAfter, signingKey, timesOfNewKey, timesOnDemand } from "../../services/identity/domain/keys.ts";
import { acceptTexts, inLanguage, stateOf } from "../../services/identity/domain/terms.ts";

const NOW = new Date("2026-03-01T12:00:00.000Z");

test("terms are read in the language asked for, else in English, else in the first there is", () => {
	const [en, ku] = [
		{ title: "Terms", content: "e" },
		{ title: "Merc", content: "k" },
	];
	for (const [texts, asked, language] of [
		[{ en, ku }, "ku", "ku"],
		[{ en, ku }, "KU-Arab", "ku"],
		[{ en, ku }, "fr", "en"],
		[{ en, ku }, undefined, "en"],
		[{ ku }, "en", "ku"],
	] as const)
		assert.equal(inLanguage(texts, asked).language, language);
	assert.throws(
		() => acceptTexts({}),
		(error) => isProblem(error, "validation"),
	);
});

test("acceptance is required until the newest version that asks anew, or a later one, was accepted", () => {
	const current = { id: "c", publishedAt: "2026-03-03" };
	const required = (askedSince: string | null, accepted: string | null) => stateOf({ current, askedSince, accepted }).required;
	assert.equal(required("2026-03-03", null), true);
	assert.equal(required(null, null), true);
	assert.equal(required("2026-03-03", "2026-03-02"), true);
	assert.equal(required("2026-03-02", "2026-03-02"), false);
	assert.equal(required("2026-03-01", "2026-03-02"), false);
	assert.deepEqual(stateOf({ current: null, askedSince: null, accepted: null }), { required: false, currentId: null });
});

test("a browser is named with its version and system; another program is what it calls itself", () => {
	const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
	for (const [userAgent, name] of [
		[chrome, "Chrome 130 on Linux"],
		["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox 131 on Windows"],
		[`${chrome.replace("X11; Linux x86_64", "Windows NT 10.0")} Edg/130.0.0.0`, "Edge 130 on Windows"],
		[
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
			"Safari 18 on iPhone",
		],
		[
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
			"Safari 17 on macOS",
		],
		[chrome.replace("X11; Linux x86_64", "Linux; Android 14; Pixel 8"), "Chrome 130 on Android"],
		["reloop-phone/2.1", "reloop-phone/2.1"],
		["  ", "Unknown device"],
		["x".repeat(512), "x".repeat(200)],
	] as const)
		assert.equal(deviceName(userAgent), name);
});

describe("a client", () => {
	test("is given what the giver has, of what hangs on a role", () => {
		const giver = { scopes: ["account:own", "ops:read", "product:write"] };
		assert.deepEqual(notTheirs(["ops:read"], giver), []);
		assert.deepEqual(notTheirs(["ops:read", "terms:write", "product:write"], giver), ["terms:write", "product:write"]);
	});
	test("is granted what it asks for, all where it asks for nothing, and nothing where it asks for more", () => {
		assert.deepEqual(granted(["a:b", "c:d"], undefined), ["a:b", "c:d"]);
		assert.deepEqual(granted(["a:b", "c:d"], " "), ["a:b", "c:d"]);
		assert.deepEqual(granted(["a:b", "c:d"], "c:d c:d"), ["c:d"]);
		assert.equal(granted(["a:b"], "a:b c:d"), null);
	});
});

describe("a key on demand", () => {
	test("signs in a moment, when doors have heard of it; the old one verifies for a day after", () => {
		const old = timesOfNewKey([], new Date(NOW.getTime() - 1000));
		const made = timesOnDemand(NOW, false);
		const retiring = { ...old, retiredAt: retiresAfter(made) };
		assert.equal(signingKey([retiring, made], NOW), retiring);
		const later = new Date(NOW.getTime() + HEARD_AHEAD_MS);
		assert.equal(signingKey([retiring, made], later), made);
		assert.ok(Date.parse(retiring.retiredAt) - later.getTime() >= 86_400_000);
	});
	test("signs at once where the others are compromised", () => {
		const made = timesOnDemand(NOW, true);
		assert.equal(signingKey([made], NOW), made);
	});
});
