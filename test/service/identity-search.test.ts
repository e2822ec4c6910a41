// Finding people by their names.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { database } from "../../mixins/postgres.ts";
import type { ParamsIn } from "../../services/contracts/index.ts";
import { foldNames, searchOf } from "../../services/identity/store/profile-search.ts";
import { identityHouse, newEmail, PASSWORD, refusedWith } from "../support/identity-house.ts";

const { sql, call } = await identityHouse();
const named = (displayName: string) => call("auth.register", { email: newEmail(), password: PASSWORD, displayName });
const { tokens } = await named("Searcher");
const token = tokens.accessToken;
const found = async (params: ParamsIn<"profiles.list">) =>
	(await call("profiles.list", { limit: 100, ...params }, { token })).data.map(({ displayName }) => displayName);

describe("a search for profiles", () => {
	test("finds the beginning, the middle and the end of a name, whatever its accents and capitals", async () => {
		await named("José Çelik");
		for (const q of ["jose", "JOSÉ", "sé çe", "Celik", "k", "  çelik "]) assert.deepEqual(await found({ q }), ["José Çelik"], q);
		assert.deepEqual(await found({ q: "josef" }), []);
	});

	test("takes signs of SQL and of patterns for what they are", async () => {
		await named("100% _real_ \\ 'Bobby'; drop table profiles; --");
		assert.equal((await found({ q: "100%" })).length, 1);
		assert.equal((await found({ q: "'bobby'; drop table" })).length, 1);
		assert.equal((await found({ q: "\\ '" })).length, 1);
		for (const q of ["1%%", "_eal", "%", "{a}", "$1", "NULL", ".*", "\u0301", "😀".repeat(100)]) {
			const names = await found({ q });
			assert.ok(
				names.every((name) => q === "%" && name.includes("%")),
				`${q} found ${names}`,
			);
		}
	});

	test("goes page by page, newest first, and by kind; it never shows an e-mail", async () => {
		const names = ["Pager one", "Pager two", "Pager three"];
		for (const name of names) await named(name);
		await call("profiles.create", { displayName: "Pager shop", kind: "organization" }, { token });
		const first = await call("profiles.list", { q: "pager", limit: 3 }, { token });
		assert.ok(first.nextCursor);
		const second = await call("profiles.list", { q: "pager", limit: 3, cursor: first.nextCursor }, { token });
		const all = [...first.data, ...second.data];
		assert.deepEqual(
			all.map(({ displayName }) => displayName),
			["Pager shop", "Pager three", "Pager two", "Pager one"],
		);
		assert.equal(second.nextCursor, null);
		assert.deepEqual(await found({ q: "pager", kind: "organization" }), ["Pager shop"]);
		assert.deepEqual(await found({ kind: "organization" }), ["Pager shop"]);
		for (const profile of all) assert.deepEqual(Object.keys(profile).sort(), ["displayName", "id", "kind"]);
		assert.deepEqual(await found({ q: "example.org" }), []);
		await refusedWith("bad-cursor", call("profiles.list", { q: "pager", cursor: "x" }, { token }));
	});

	test("follows a new name, and finds nobody who is deleted, trashed or purged", async () => {
		const { account, profile, tokens: made } = await named("Oldname");
		await call("profiles.update", { profileId: profile.id, displayName: "Newname" }, { token: made.accessToken });
		assert.deepEqual([await found({ q: "oldname" }), await found({ q: "newname" })], [[], ["Newname"]]);
		const second = await call("profiles.create", { displayName: "Newname two", kind: "consumer" }, { token: made.accessToken });
		await call("profiles.remove", { profileId: second.id }, { token: made.accessToken });
		assert.deepEqual(await found({ q: "newname" }), ["Newname"]);
		for (const state of ["trashed", "purged"]) {
			await sql("update accounts set state = $2 where id = $1", [account.id, state]);
			assert.deepEqual(await found({ q: "newname" }), []);
		}
	});

	test("finds names that were there before there was a search", async () => {
		await named("Before Times");
		await sql("update profiles set folded = null, pieces = null where display_name = 'Before Times'");
		assert.deepEqual(await found({ q: "before" }), []);
		await foldNames(database("identity"));
		assert.deepEqual(await found({ q: "before" }), ["Before Times"]);
	});

	test("is served by an index", async () => {
		const { account } = await named("Many");
		await sql(
			`insert into profiles (id, account_id, display_name, kind, folded, pieces, created_at, updated_at)
			select gen_random_uuid(), $1, 'n' || n, 'consumer', 'n' || n, array['n', n::text, left(n::text, 3)], now(), now() from generate_series(1, 20000) n`,
			[account.id],
		);
		await sql(
			`insert into profiles (id, account_id, display_name, kind, folded, pieces, created_at, updated_at)
			values ($2, $1, 'Needle', 'consumer', 'needle', array['nee', 'eed', 'edl', 'dle'], now(), now())`,
			[account.id, randomUUID()],
		);
		await sql("analyze profiles");
		const question = searchOf({ q: "Needle" }, null, 21);
		const plan = await sql<{ "QUERY PLAN": string }>(`explain ${question?.sql}`, question?.values);
		assert.match(JSON.stringify(plan), /profiles_pieces/);
		assert.deepEqual(await found({ q: "eedl" }), ["Needle"]);
	});
});
