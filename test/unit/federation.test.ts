// What it means that an issuer knows somebody, and where browsers may go.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isPrivate } from "../../mixins/outside.ts";
import { readClerkEvent } from "../../services/identity/domain/clerk.ts";
import { becomesActive, claimed, displayNameOf, mayUnlink, meeting } from "../../services/identity/domain/federation.ts";
import type { Flow } from "../../services/identity/domain/flows.ts";
import { takeFlow, targetOf, withFlow } from "../../services/identity/domain/flows.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { ProblemCode } from "../../services/contracts/problems.ts";

const refuses = (code: ProblemCode, work: () => unknown) => assert.throws(work, (error) => isProblem(error, code));

describe("who arrives", () => {
	const verified = { email: "ana@example.org", emailVerified: true };
	const unverified = { ...verified, emailVerified: false };
	const account = { state: "active", bannedUntil: null, passwordHash: "hash" } as const;
	const linked = { ...account, passwordHash: null, proven: true };

	test("with a linked identity enters its account, whatever its e-mail is now", () => {
		assert.equal(meeting(verified, linked, undefined), "enter");
		assert.equal(meeting(unverified, linked, account), "enter");
		assert.equal(meeting({ email: null, emailVerified: false }, linked, undefined), "enter");
	});

	test("for the first time makes an account, or is linked where the issuer and we know the e-mail to be theirs", () => {
		assert.equal(meeting(verified, undefined, undefined), "create");
		assert.equal(meeting(unverified, undefined, undefined), "create");
		assert.equal(meeting(verified, undefined, account), "link");
	});

	test("takes over no account by an e-mail that nobody has verified, here or there", () => {
		refuses("link-required", () => meeting(unverified, undefined, account));
		refuses("link-required", () => meeting(verified, undefined, { ...account, state: "unverified" }));
		refuses("link-required", () => meeting(unverified, undefined, { ...account, state: "banned" }));
	});

	test("stays as banned, trashed and purged as at sign-in", () => {
		refuses("banned", () => meeting(verified, undefined, { ...account, state: "banned" }));
		refuses("banned", () => meeting(verified, { ...linked, state: "banned" }, undefined));
		refuses("invalid-credentials", () => meeting(verified, { ...linked, state: "trashed" }, undefined));
		refuses("invalid-credentials", () => meeting(verified, undefined, { ...account, state: "purged" }));
	});

	test("without an e-mail can have no new account", () => {
		refuses("validation", () => meeting({ email: null, emailVerified: true }, undefined, undefined));
	});

	test("leaves an account that was made with an unproven e-mail, once its mailbox's owner has set a password", () => {
		const early = { ...account, proven: false };
		refuses("link-required", () => meeting(unverified, early, account));
		assert.equal(meeting(unverified, { ...early, passwordHash: null }, account), "enter");
		assert.equal(meeting(verified, early, account), "link");
	});

	test("makes an account active where nobody else was ever in it, and the issuer has verified its e-mail", () => {
		const young = { state: "unverified", email: "ana@example.org", passwordHash: null } as const;
		const who = claimed("i", "s", { email: "ana@example.org", email_verified: true });
		assert.equal(becomesActive(young, who), true);
		assert.equal(becomesActive({ ...young, passwordHash: "hash" }, who), false);
		assert.equal(becomesActive({ ...young, email: "ben@example.org" }, who), false);
		assert.equal(becomesActive(young, { ...who, emailVerified: false }), false);
	});

	test("keeps the last way to sign in", () => {
		refuses("last-sign-in", () => mayUnlink({ passwordHash: null }, 1));
		mayUnlink({ passwordHash: null }, 2);
		mayUnlink({ passwordHash: "hash" }, 1);
	});
});

test("claims are read as issuers write them, and what is no e-mail is none", () => {
	const who = claimed("i", "s", {
		email: " Ana@Example.ORG ",
		email_verified: "true",
		given_name: "Ana",
		family_name: "Sá",
		locale: "pt-PT",
	});
	assert.deepEqual(who, { issuer: "i", subject: "s", email: "ana@example.org", emailVerified: true, name: "Ana Sá", language: "pt" });
	for (const email of ["ana", "a@b@c", "a b@c", 7, "", `${"a".repeat(260)}@b`, "a\0@b"])
		assert.equal(claimed("i", "s", { email }).email, null);
	for (const email_verified of [undefined, 1, "yes", "TRUE", null])
		assert.equal(claimed("i", "s", { email_verified }).emailVerified, false);
});

test("a display name is 1 to 60 characters of what the issuer says, or what stands before the @", () => {
	assert.equal(displayNameOf({ name: " Ana\u0000\n ", email: null }), "Ana");
	assert.equal([...displayNameOf({ name: "😀".repeat(99), email: null })].length, 60);
	assert.equal(displayNameOf({ name: "\t", email: "ana.sa@example.org" }), "ana.sa");
	assert.equal(displayNameOf({ name: null, email: null }), "?");
	assert.ok(displayNameOf({ name: "a\ud800", email: null }).isWellFormed());
});

describe("a browser", () => {
	const home = "https://reloop.example";
	test("comes back to our pages or to those of a known origin, and nowhere else", () => {
		const to = (given?: string) => targetOf(given, home, ["https://app.example"]);
		assert.equal(to(), "https://reloop.example/");
		assert.equal(to("/groups?x=1"), "https://reloop.example/groups?x=1");
		assert.equal(to("https://app.example/in"), "https://app.example/in");
		for (const evil of [
			"https://evil.example",
			"//evil.example",
			"/\\evil.example",
			"\\\\evil.example",
			"https://reloop.example@evil.example/",
			"https://reloop.example.evil.example",
			"https://user:x@reloop.example/",
			"http://reloop.example/",
			"javascript:alert(1)",
			"data:text/html,x",
			"https://app.example:444/",
			"/in#code=mine",
			"/in#",
			"https://",
		])
			refuses("validation", () => to(evil));
	});

	test("may have four sign-ins under way; each ends once, at its provider, in its time", () => {
		const now = new Date("2026-03-01T10:00:00Z");
		const flow = (s: string): Flow => ({ s, n: "n", v: "v", p: "google", r: home, x: now.getTime() / 1000 + 600 });
		let flows: Flow[] = [];
		for (const s of ["a", "b", "c", "d", "e"]) flows = withFlow(flows, flow(s), now);
		assert.deepEqual(
			flows.map(({ s }) => s),
			["b", "c", "d", "e"],
		);
		const { flow: taken, left } = takeFlow(flows, "c", "google", now);
		assert.equal(taken.s, "c");
		refuses("bad-state", () => takeFlow(left, "c", "google", now));
		refuses("bad-state", () => takeFlow(flows, "c", "auth0", now));
		refuses("bad-state", () => takeFlow(flows, undefined, "google", now));
		refuses("bad-state", () => takeFlow(flows, "c", "google", new Date(now.getTime() + 600_000)));
	});
});

test("addresses of private networks are known, in every clothing", () => {
	const inside =
		"127.0.0.1 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fd00::1 ::ffff:127.0.0.1 ::ffff:7f00:1 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1 ff02::1";
	for (const address of inside.split(" ")) assert.equal(isPrivate(address), true, address);
	for (const address of ["8.8.8.8", "172.32.0.1", "193.136.1.1", "2606:4700::1111", "2a00:1450:4003::8"])
		assert.equal(isPrivate(address), false, address);
});

test("Clerk's events are read; others are none of ours; what Clerk would not send is refused", () => {
	const data = {
		id: "user_1",
		email_addresses: [
			{ id: "e1", email_address: "old@example.org", verification: { status: "verified" } },
			{ id: "e2", email_address: "Ana@example.org", verification: { status: "unverified" } },
		],
		primary_email_address_id: "e2",
		first_name: "Ana",
		last_name: null,
		username: null,
		updated_at: 1_700_000_000_000,
	};
	assert.deepEqual(readClerkEvent({ type: "user.updated", data }, "i"), {
		kind: "said",
		who: { issuer: "i", subject: "user_1", email: "ana@example.org", emailVerified: false, name: "Ana", language: null },
		version: 1_700_000_000_000,
	});
	assert.deepEqual(readClerkEvent({ type: "user.deleted", data: { id: "user_1", deleted: true } }, "i/"), {
		kind: "deleted",
		who: { issuer: "i", subject: "user_1" },
	});
	assert.equal(readClerkEvent({ type: "session.created", data: {} }, "i"), null);
	for (const sent of [
		null,
		[],
		{},
		{ type: "user.created" },
		{ type: "user.created", data: { ...data, id: 7 } },
		{ type: "user.updated", data: { ...data, updated_at: "x" } },
	])
		refuses("validation", () => readClerkEvent(sent, "i"));
});
