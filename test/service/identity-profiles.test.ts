// Several profiles of one account: making, changing and deleting them, and going on as another of them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { decodeJwt } from "jose";
import { tokens } from "../../mixins/token/tokens.ts";
import { MOST_PROFILES } from "../../services/identity/domain/profile.ts";
import { turnClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { identityHouse, MINUTE, refusedWith } from "../support/identity-house.ts";

const { broker, start, sql, facts, call, person, login, refresh } = await identityHouse();
const profileIn = (token: string) => decodeJwt<{ profile: string }>(token).profile;
const factsOf = async (accountId: string, type: string) => (await facts(accountId)).filter((fact) => fact.type === type);

/** Somebody with a shop besides. */
async function shopkeeper() {
	const made = await person();
	const token = made.tokens.accessToken;
	const shop = await call("profiles.create", { displayName: "Zips & Co", kind: "organization" }, { token });
	const asShop = (from: string = token) => call("profiles.switch", { profileId: shop.id }, { token: from });
	return { ...made, token, shop, asShop };
}

describe("profiles of an account", () => {
	test("one more is made, listed after the first, and told", async () => {
		const { account, profile, token, shop } = await shopkeeper();
		assert.deepEqual(shop, { id: shop.id, displayName: "Zips & Co", kind: "organization" });
		assert.deepEqual(await call("profiles.list", {}, { token }), { data: [profile, shop], nextCursor: null });
		assert.deepEqual((await call("auth.me", {}, { token })).profiles, [profile, shop]);
		const [, fact] = await factsOf(account.id, "identity.profile.created");
		assert.deepEqual(fact?.payload, { accountId: account.id, profileId: shop.id, displayName: "Zips & Co", kind: "organization" });
	});

	test("there are no more than may be, also when many are made at once", async () => {
		const { tokens: made } = await person();
		const token = made.accessToken;
		const tries = Array.from({ length: MOST_PROFILES + 5 }, () =>
			call("profiles.create", { displayName: "One more", kind: "consumer" }, { token }),
		);
		const refused = (await Promise.allSettled(tries)).filter(({ status }) => status === "rejected");
		assert.equal(refused.length, 6);
		await refusedWith("profile-limit", call("profiles.create", { displayName: "One more", kind: "consumer" }, { token }));
		assert.equal((await call("profiles.list", { limit: 100 }, { token })).data.length, MOST_PROFILES);
		assert.equal(decodeJwt<{ profiles: string[] }>((await refresh(made.refreshToken)).tokens.accessToken).profiles.length, MOST_PROFILES);
	});

	// (Pictures are the catalog's: uploads-avatars.test.ts.)
	test("name and bio change; what is told is the whole, and what changes nothing is not told", async () => {
		const { account, profile, token, shop } = await shopkeeper();
		const change = { displayName: "Zips", bio: "We mend." };
		const after = { id: shop.id, displayName: "Zips", kind: "organization", bio: "We mend." };
		assert.deepEqual(await call("profiles.update", { profileId: shop.id, ...change }, { token }), after);
		assert.deepEqual(await call("profiles.update", { profileId: shop.id, ...change }, { token }), after);
		assert.deepEqual(await call("profiles.update", { profileId: shop.id }, { token }), after);
		const told = await factsOf(account.id, "identity.profile.updated");
		const ids = { accountId: account.id, profileId: shop.id, kind: "organization" };
		assert.deepEqual(
			told.map(({ payload }) => payload),
			[{ ...ids, ...change, avatar: null }],
		);
		const stranger = (await person()).tokens.accessToken;
		assert.deepEqual(await call("profiles.show", { profileId: shop.id }, { token: stranger }), after);
		await refusedWith("not-found", call("profiles.update", { profileId: shop.id, displayName: "Mine" }, { token: stranger }));
		const cleared = await call("profiles.update", { profileId: shop.id, bio: null, avatar: null }, { token });
		assert.deepEqual(cleared, { id: shop.id, displayName: "Zips", kind: "organization" });
		await call("profiles.update", { profileId: profile.id, displayName: "Anna" }, { token });
		assert.equal((await call("profiles.me", {}, { token })).displayName, "Anna");
	});

	test("one that is neither the last nor active can be deleted, once, by its account", async () => {
		const { account, profile, token, shop } = await shopkeeper();
		const other = await shopkeeper();
		await refusedWith("active-profile", call("profiles.remove", { profileId: profile.id }, { token }));
		await refusedWith("not-found", call("profiles.remove", { profileId: shop.id }, { token: other.token }));
		await call("profiles.remove", { profileId: shop.id }, { token });
		await refusedWith("not-found", call("profiles.remove", { profileId: shop.id }, { token }));
		await refusedWith("last-profile", call("profiles.remove", { profileId: profile.id }, { token }));
		await refusedWith("not-found", call("profiles.show", { profileId: shop.id }, { token }));
		await refusedWith("not-found", call("profiles.switch", { profileId: shop.id }, { token }));
		const told = await factsOf(account.id, "identity.profile.deleted");
		assert.deepEqual(
			told.map(({ payload }) => payload),
			[{ accountId: account.id, profileId: shop.id, kind: "organization" }],
		);
	});

	test("of two who delete one another at once, one stays", async () => {
		const { email, token, profile, shop, asShop } = await shopkeeper();
		const { tokens: theirs } = await asShop((await login(email)).tokens.accessToken);
		const tries = await Promise.allSettled([
			call("profiles.remove", { profileId: shop.id }, { token }),
			call("profiles.remove", { profileId: profile.id }, { token: theirs.accessToken }),
		]);
		assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
		assert.equal((await sql("select 1 from profiles where id = any($1::uuid[])", [[profile.id, shop.id]])).length, 1);
	});
});

describe("going on as another profile", () => {
	test("is the same session without a login, with the roles of that profile; the session remembers it", async () => {
		const { account, profile, tokens: first, token, shop, asShop } = await shopkeeper();
		const { profile: now, tokens: theirs } = await asShop();
		assert.deepEqual(now, shop);
		const [before, after] = [decodeJwt(token), decodeJwt(theirs.accessToken)];
		assert.deepEqual([after.sid, after.sub, after.profile, after.name], [before.sid, account.id, shop.id, "Zips & Co"]);
		assert.deepEqual(
			[before.roles, after.roles],
			[
				["user", "consumer"],
				["user", "organization"],
			],
		);
		assert.notEqual(theirs.refreshToken, first.refreshToken);
		const { tokens: next } = await refresh(theirs.refreshToken);
		assert.equal(profileIn(next.accessToken), shop.id);
		assert.deepEqual((await call("auth.me", {}, { token: next.accessToken })).profile, shop);
		assert.equal((await call("sessions.list", {}, { token: next.accessToken })).data.length, 1);
		const back = await call("profiles.switch", { profileId: profile.id }, { token: next.accessToken });
		assert.equal(profileIn(back.tokens.accessToken), profile.id);
	});

	test("leaves the access token of the former profile what it is, until it expires", async () => {
		const { profile, token, asShop } = await shopkeeper();
		await asShop();
		assert.deepEqual(await call("profiles.me", {}, { token }), profile);
	});

	test("nobody goes on as a stranger's profile, or in a session that has ended", async () => {
		const { token, shop, asShop } = await shopkeeper();
		const other = await person();
		await refusedWith("not-found", call("profiles.switch", { profileId: shop.id }, { token: other.tokens.accessToken }));
		await refusedWith("not-found", call("profiles.switch", { profileId: randomUUID() }, { token }));
		await sql("update sessions set ended_at = now() where id = $1", [decodeJwt(token).sid]);
		await assert.rejects(asShop(), /unknown, used up, revoked or expired/);
	});

	test("ends the refresh tokens before it once its own is used: then they end the session", async () => {
		const { tokens: first, asShop } = await shopkeeper();
		const { tokens: theirs } = await asShop();
		await refresh(theirs.refreshToken);
		await refusedWith("invalid-token", refresh(first.refreshToken));
		await refusedWith("invalid-token", refresh(theirs.refreshToken));
	});

	test("may lose its answer: the refresh token of before goes on, as the new profile", async () => {
		const { tokens: first, shop, asShop } = await shopkeeper();
		await asShop();
		const { tokens: next } = await refresh(first.refreshToken);
		assert.equal(profileIn(next.accessToken), shop.id);
		assert.equal((await refresh(first.refreshToken)).tokens.refreshToken, next.refreshToken);
		assert.equal(profileIn((await refresh(next.refreshToken)).tokens.accessToken), shop.id);
	});

	test("while its profile is deleted by somebody else, it is refused or ends with it", async () => {
		for (let round = 0; round < 5; round++) {
			const { email, token, shop } = await shopkeeper();
			const { tokens: phone } = await login(email);
			const [switched] = await Promise.allSettled([
				call("profiles.switch", { profileId: shop.id }, { token: phone.accessToken }),
				call("profiles.remove", { profileId: shop.id }, { token }),
			]);
			const left = await sql<{ n: number }>("select count(*)::int as n from sessions where profile_id = $1 and ended_at is null", [
				shop.id,
			]);
			assert.equal(left[0]?.n, 0);
			if (switched.status === "fulfilled") await refusedWith("invalid-token", refresh(switched.value.tokens.refreshToken));
		}
	});
});

describe("tokens of a deleted profile", () => {
	test("are refused at once, of every session; sessions for it end, the one it left goes on", async () => {
		const { account, email, profile, token, shop, asShop } = await shopkeeper();
		const { tokens: theirs } = await asShop();
		const { tokens: phone } = await login(email);
		const { tokens: phoneShop } = await asShop(phone.accessToken);
		const back = await call("profiles.switch", { profileId: profile.id }, { token: theirs.accessToken });
		await call("profiles.remove", { profileId: shop.id }, { token: back.tokens.accessToken });
		for (const dead of [theirs, phoneShop, phone])
			await eventually(() => refusedWith("invalid-token", tokens(broker).verify(dead.accessToken)), 1_000);
		await refusedWith("invalid-token", refresh(phoneShop.refreshToken));
		for (const alive of [token, back.tokens.accessToken]) assert.equal((await tokens(broker).verify(alive)).profileId, profile.id);
		assert.equal(profileIn((await refresh(back.tokens.refreshToken)).tokens.accessToken), profile.id);
		const [ended] = await factsOf(account.id, "identity.session.revoked");
		assert.deepEqual([ended?.payload.sessionId, ended?.payload.reason], [decodeJwt(phone.accessToken).sid, "profile"]);
	});

	test("are refused by a door that starts later, or missed the signal", async () => {
		const { profile, token, shop, asShop } = await shopkeeper();
		const { tokens: theirs } = await asShop();
		const back = await call("profiles.switch", { profileId: profile.id }, { token: theirs.accessToken });
		await call("profiles.remove", { profileId: shop.id }, { token: back.tokens.accessToken });
		const fresh = await start();
		try {
			await refusedWith("invalid-token", tokens(fresh).verify(theirs.accessToken));
			assert.equal((await tokens(fresh).verify(token)).profileId, profile.id);
			await sql("insert into deleted_profiles (id, deleted_at) values ($1, $2)", [profile.id, new Date()]);
			await eventually(() => refusedWith("invalid-token", tokens(fresh).verify(token)), 3_000);
		} finally {
			await fresh.stop();
		}
	});

	test("are told as long as one could live", async () => {
		const { token, shop } = await shopkeeper();
		await call("profiles.remove", { profileId: shop.id }, { token });
		const told = async () => (await call("identity.revocations", {})).profiles.some(({ profileId }) => profileId === shop.id);
		assert.equal(await told(), true);
		turnClock(11 * MINUTE);
		assert.equal(await told(), false);
	});
});
