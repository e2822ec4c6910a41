// Profiles, without a store: what may be done with them, and how their names are found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import type { Profile } from "../../services/contracts/identity.ts";
import { foldName, piecesFor, piecesOf } from "../../services/identity/domain/names.ts";
import { changed, MOST_PROFILES, mayDelete, mayHaveOneMore } from "../../services/identity/domain/profile.ts";
import { PROFILES_IN_TOKEN } from "../../services/identity/node.ts";

const refuses = (code: string, decide: () => unknown) =>
	assert.throws(decide, (error) => isProblem(error, code as never), `should be refused as ${code}`);
const ana: Profile = { id: "ana", displayName: "Ana", kind: "consumer" };
const shop: Profile = { id: "shop", displayName: "Shop", kind: "organization" };

test("a name is found however its accents, capitals and ligatures are typed", () => {
	for (const [name, typed] of [
		["José", "jose"],
		["  ŁUKASZ\t Ørsted ", "lukasz orsted"],
		["Straße", "STRASSE"],
		["Ｗｉｄｅ ﬁg", "wide fig"],
		["İstanbul", "istanbul"],
		["Diyarbakır", "diyarbakir"],
		["ΟΔΟΣ", "οδος"],
		["أحمد", "احمد"],
		["كوردي", "کوردی"],
		["مُحَمَّد", "محمد"],
		["می‌خواهم", "میخواهم"],
	] as const)
		assert.equal(foldName(name), foldName(typed), `${name} should be found by ${typed}`);
	assert.equal(foldName("\u0301\u200d"), "");
});

test("whatever a name contains, its pieces have what the index is asked for", () => {
	const name = foldName("Ana 😀 Ñandú");
	const letters = [...name];
	for (let from = 0; from < letters.length; from++)
		for (let to = from + 1; to <= letters.length; to++) {
			const part = letters.slice(from, to).join("");
			for (const piece of piecesFor(part)) assert.ok(piecesOf(name).includes(piece), `${part} asks for ${piece}`);
		}
	assert.deepEqual(piecesFor("anna"), ["ann", "nna"]);
	assert.deepEqual(piecesFor("an"), ["an"]);
});

test("a profile may be deleted by its account, but neither the last one nor one that is active", () => {
	assert.equal(mayDelete("shop", [ana, shop], ["ana"]), shop);
	refuses("not-found", () => mayDelete("eve", [ana, shop], ["ana"]));
	refuses("last-profile", () => mayDelete("ana", [ana], ["ana"]));
	refuses("active-profile", () => mayDelete("shop", [ana, shop], ["shop"]));
	refuses("active-profile", () => mayDelete("shop", [ana, shop], ["ana", "shop"]));
});

test("a token names every profile that an account may have", () => {
	mayHaveOneMore(MOST_PROFILES - 1);
	refuses("profile-limit", () => mayHaveOneMore(MOST_PROFILES));
	assert.ok(MOST_PROFILES <= PROFILES_IN_TOKEN);
});

test("what a change does not name stays, and null takes away", () => {
	const full = { ...ana, bio: "Mends zips.", avatar: { id: "picture" } };
	assert.deepEqual(changed(ana, { bio: "Mends zips.", avatar: "picture" }), full);
	assert.deepEqual(changed(full, {}), full);
	assert.deepEqual(changed(full, { displayName: "Anna" }), { ...full, displayName: "Anna" });
	assert.deepEqual(changed(full, { bio: null, avatar: null }), ana);
	assert.deepEqual(changed({ ...ana, bio: "x" }, { bio: "" }), ana);
});
