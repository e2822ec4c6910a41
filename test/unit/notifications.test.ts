// The tables of notifications: what each kind says in every language, how far it climbs, and what facts mean.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Template } from "../../mixins/mail/index.ts";
import { languages, render } from "../../mixins/mail/template.ts";
import { kind } from "../../services/contracts/notifications.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import { toOver, toWanted } from "../../services/presence/domain/causes.ts";
import { allChannels, channelsOf, ladders, nextStep, wished } from "../../services/presence/domain/kinds.ts";
import { cut, languageOf, say, wordings } from "../../services/presence/domain/wordings.ts";
import type { WordingName } from "../../services/presence/domain/wordings.ts";
import { mails } from "../../services/presence/notify/mails.ts";

const placeholders = (text: unknown): string[] =>
	[...new Set([...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))].sort();
const RIGHT_TO_LEFT = /\p{Script=Arabic}/u;

test("every notification is worded in all languages, with the same values, Arabic and Kurdish in Arabic letters", () => {
	for (const [name, row] of Object.entries(wordings)) {
		for (const language of languages) {
			assert.deepEqual(placeholders(row[language]), [...row.values].sort(), `${name} ${language}`);
			const bare = JSON.stringify(row[language]).replace(/\{\w+\}|title|body|Reloop/g, "");
			if (/\p{L}/u.test(bare)) assert.equal(RIGHT_TO_LEFT.test(bare), language === "ar" || language === "ku", `${name} ${language}`);
		}
	}
});

test("the mails are there in all languages, each with its way out; for Arabic and Kurdish they run from right to left", () => {
	for (const [name, template] of Object.entries<Template>(mails)) {
		const values = Object.fromEntries(template.values.map((value) => [value, value === "link" ? "https://reloop.example/inbox" : "Zips"]));
		const leave = { page: "https://reloop.example/unsubscribe?token=t", oneClick: "https://reloop.example/api" };
		for (const language of languages) {
			assert.deepEqual(placeholders(template[language]), template.values.filter((value) => value !== "link").sort(), `${name} ${language}`);
			const { html, text, unsubscribe } = render(template, language, values, { leave, items: [{ title: "<b>", body: "a\nb" }] });
			assert.match(html, new RegExp(`<html lang="${language}" dir="${language === "ar" || language === "ku" ? "rtl" : "ltr"}">`));
			assert.match(html, /<li><strong><bdi>&lt;b&gt;<\/bdi><\/strong><br><bdi>a b<\/bdi><\/li>/);
			assert.ok(text.includes("- <b>\n  a b\n") && text.endsWith(`\n${leave.page}\n`));
			assert.equal(unsubscribe, leave.oneClick);
		}
	}
});

test("what strangers call themselves ends no line and turns nothing round; what is long is cut between characters", () => {
	const { title } = say("mentioned", "en", { name: "A\u202E\nB\u2067", group: "\u0000G", excerpt: "x" });
	assert.equal(title, "A B  mentioned you in  G");
	assert.equal([...say("said", "en", { title: "💡".repeat(300), body: "é".repeat(4000) }).title].length, 200);
	assert.equal([...say("said", "en", { title: "t", body: "e\u0301".repeat(4000) }).body].length, 500);
	assert.equal(say("wrote", "en", { name: "\u202E\n", excerpt: "" }).title, "…");
	assert.equal(cut("💡💡💡", 2), "💡…");
	assert.throws(() => say("mentioned", "en", { name: "Ana" }), /no value for \{group\}/);
	assert.deepEqual([languageOf("ku"), languageOf("xx"), languageOf(null), languageOf("__proto__")], ["ku", "en", "en", "en"]);
});

test("the ladder: push where there is a device, then mail, each where it is wanted, never twice, never before its time", () => {
	const all = { inApp: true, email: true, push: true };
	const climbs = (name: (typeof kind.values)[number], channels: typeof all, devices: boolean) => {
		const steps: string[] = [];
		let done: "push" | "mail" | null = null;
		for (let now = 0; ; ) {
			const next = nextStep(name, channels, { done, devices, toldAt: 0, now });
			if (!next) return steps.join(" ");
			steps.push(`${next.step}@${next.at / 1000}`);
			[done, now] = [next.step, next.at];
		}
	};
	assert.equal(climbs("mention", all, true), "push@10 mail@900");
	assert.equal(climbs("mention", all, false), "mail@900");
	assert.equal(climbs("mention", { ...all, email: false }, true), "push@10");
	assert.equal(climbs("mention", { ...all, push: false }, true), "mail@900");
	assert.equal(climbs("level", all, true), "push@30");
	assert.equal(climbs("welcome", all, true), "");
	// Held up by quiet hours, what was due is due at once.
	assert.deepEqual(nextStep("mention", all, { done: "push", devices: true, toldAt: 0, now: 1e9 }), { step: "mail", at: 1e9 });
});

test("preferences know every kind; what is said of one leaves the others", () => {
	assert.deepEqual(Object.keys(allChannels({})), [...kind.values]);
	assert.deepEqual(Object.keys(ladders), [...kind.values]);
	const wishes = wished(wished({}, { mention: { email: false } }), { mention: { push: false }, reply: { email: false } });
	assert.deepEqual(channelsOf("mention", wishes), { inApp: true, email: false, push: false });
	assert.deepEqual(channelsOf("reply", wishes), { inApp: true, email: false, push: true });
	assert.deepEqual(channelsOf("invite", wishes), { inApp: true, email: true, push: true });
});

test("every wording that a fact can lead to has all its values but the name, which is looked up", () => {
	const fact = (type: string, payload: object) =>
		({ id: "f", type, version: 1, at: "2026-01-01T00:00:00.000Z", aggregate: "a", requestId: null, actor: null, payload }) as AnyFact;
	const message = { groupId: "g", seq: 3, messageId: "m", senderId: "ana", kind: "text", content: "Zips" };
	const facts = [
		fact("identity.account.registered", { accountId: "a", profileId: "ben", displayName: "Ben", kind: "consumer", language: null }),
		fact("identity.account.verified", { accountId: "a" }),
		fact("identity.account.roleChanged", { accountId: "a", profileIds: ["ben"], role: "moderator" }),
		fact("groups.invite.created", {
			inviteId: "i",
			groupId: "g",
			groupName: "G",
			inviterId: "ana",
			inviterName: "Ana",
			inviteeId: "ben",
			role: "member",
			expiresAt: "",
		}),
		fact("groups.request.created", { groupId: "g", groupName: "G", profileId: "ana", displayName: "Ana", moderators: ["ben", "ana"] }),
		fact("groups.request.accepted", { groupId: "g", groupName: "G", profileId: "ben", byId: "ana" }),
		fact("groups.message.posted", { ...message, mentions: ["ben", "ben", "ana"] }),
		fact("groups.message.flagged", { groupId: "g", groupName: "G", seq: 3, flagId: "f", senderId: "ana", moderators: ["ben"] }),
		fact("groups.message.posted", { ...message, replyTo: 1, repliedToId: "ben" }),
		fact("gamification.points.awarded", { profileId: "ben", currency: "points", amount: 1, reason: "r", source: "s", total: 1 }),
		fact("gamification.points.awarded", { profileId: "ben", currency: "coins", amount: 1, reason: "r", source: "s", total: 1 }),
		fact("gamification.level.reached", { profileId: "ben", level: 1, previous: 0 }),
	];
	const told = new Set<WordingName>();
	for (const one of facts) {
		const [wanted, ...more] = toWanted(one, () => undefined);
		assert.ok(wanted && more.length === 0, one.type);
		assert.equal(wanted.profileId ?? "ben", "ben");
		for (const language of languages) say(wanted.wording, language, { name: "Ana", ...wanted.values });
		told.add(wanted.wording);
	}
	const [talk] = toWanted(fact("groups.message.posted", { ...message, mentions: ["ben"] }), () => ["ana", "ben"]);
	assert.deepEqual([talk?.wording, talk?.profileId, talk?.thread], ["wrote", "ben", "g"]);
	const [shown] = toWanted(fact("groups.message.posted", { ...message, content: "", attachments: ["p", "q"] }), () => ["ana", "ben"]);
	assert.equal(shown?.values.excerpt, "📷📷");
	const done = { groupId: "g", office: "group", byId: "ben", accountId: null };
	assert.deepEqual(toOver(fact("groups.moderation.done", { ...done, deed: "flag.resolve", flagId: "f" })), { cause: "flag f", as: "seen" });
	assert.equal(toOver(fact("groups.moderation.done", { ...done, deed: "message.delete" })), undefined);
	assert.deepEqual(
		Object.keys(wordings).filter((name) => !told.has(name as WordingName)),
		["wrote", "wroteMore", "said"],
	);
	assert.deepEqual(
		toWanted(
			fact("groups.invite.created", {
				inviteId: "i",
				groupId: "g",
				groupName: "G",
				inviterId: "ana",
				inviterName: "Ana",
				inviteeId: null,
				role: "member",
				expiresAt: "",
			}),
			() => undefined,
		),
		[],
	);
	assert.deepEqual(toOver(fact("groups.message.deleted", { groupId: "g", seq: 9, target: 3, senderId: "ana", byId: "ana" })), {
		cause: "message g 3",
		as: "gone",
	});
});
