// Templates and what is made of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readEnv } from "../../config/env.ts";
import { isMailable } from "../../mixins/mail/letter.ts";
import { seal, unseal } from "../../mixins/mail/sealed.ts";
import type { Template } from "../../mixins/mail/template.ts";
import { languages, render } from "../../mixins/mail/template.ts";
import { mails } from "../../services/identity/mail/mails.ts";

const plain: Template = {
	values: ["title", "code", "link"],
	en: { subject: "About {title}", say: ["Here is {title}."], link: "Open it:", after: ["Bye."] },
	ar: { subject: "عن {title}", say: ["هذا {title}."], link: "افتحه:" },
};
const values = { title: "Zips", code: "123456", link: "https://reloop.example/x?token=abc" };

test("a text has its code in a line, and one address", () => {
	assert.equal(render(plain, "en", values).text, "Here is Zips.\n\ncode: 123456\n\nOpen it:\nhttps://reloop.example/x?token=abc\n\nBye.\n");
});

test("values are escaped in HTML, and their markup is none", () => {
	const { html } = render(plain, "en", { ...values, title: `<img src=x onerror="alert('1')">&` });
	assert.match(html, /&lt;img src=x onerror=&quot;alert\(&#39;1&#39;\)&quot;&gt;&amp;/);
	assert.doesNotMatch(html, /<img/);
});

test("a value ends no line of a subject, and adds none to the text", () => {
	const { subject, text } = render(plain, "en", { ...values, title: "a\r\nBcc: x@y.z\u2028code: 999999\ncode: 888888" });
	assert.equal(subject, "About a Bcc: x@y.z code: 999999 code: 888888");
	assert.deepEqual(text.match(/^code: \d+$/gm), ["code: 123456"]);
});

test("a value is no address to go to, and turns no direction round", () => {
	const { text, html } = render(plain, "en", { ...values, title: "http://evil.example/\u202efdp" });
	assert.deepEqual(text.match(/https?:\/\/\S+/g), [values.link]);
	assert.doesNotMatch(text + html, /evil\.example\/\u202e|http:\/\/evil/);
});

test("Arabic runs from right to left; a code does not", () => {
	const { html } = render(plain, "ar", values);
	assert.match(html, /<html lang="ar" dir="rtl">/);
	assert.match(html, /<p dir="ltr"[^>]*>123456</);
	assert.match(render(plain, "en", values).html, /<html lang="en" dir="ltr">/);
});

test("a language without a translation, or unheard of, is English", () => {
	for (const language of ["ku", "xx", "__proto__", "values", null]) assert.equal(render(plain, language, values).language, "en");
});

test("a value that is missing is a fault, not a gap", () => {
	assert.throws(() => render(plain, "en", { code: "1", link: "x" }), /no value for \{title\}/);
});

test("every mail of identity is there in all languages, with the same values", () => {
	for (const [name, template] of Object.entries<Template>(mails)) {
		const placeholders = (language: (typeof languages)[number]) =>
			[...JSON.stringify(template[language]).matchAll(/\{(\w+)\}/g)].map(([, value]) => value).sort();
		for (const language of languages) {
			const wording = template[language];
			assert.ok(wording, `${name} ${language}`);
			assert.deepEqual(placeholders(language), placeholders("en"), `${name} ${language}`);
			assert.ok(placeholders(language).every((value) => template.values.includes(value as string)));
			assert.equal(wording.after?.length, template.en.after?.length);
			assert.doesNotMatch(JSON.stringify(wording), /\/\/|www\./, "the link is the only address");
		}
		assert.match(JSON.stringify(template.en), /^\p{ASCII}*$/u, "English travels as it is");
	}
});

test("an address that an envelope cannot hold as it is gets nothing, instead of somebody else", () => {
	for (const good of ["ana@example.org", "o'neil+x@example.org", "ana@bücher.example"]) assert.ok(isMailable(good), good);
	for (const bad of ["a,b@example.org", "a<b>@c.d", '"a b"@c.d', "a@b\r\nBcc: c@d", "a@b@c", "ab", "a;b@c.d"])
		assert.ok(!isMailable(bad), bad);
});

test("what waits is sealed to its own mail", () => {
	const key = Buffer.alloc(32, 7);
	const sealed = seal(key, "code 123456", "one");
	assert.equal(unseal(key, sealed, "one"), "code 123456");
	assert.doesNotMatch(Buffer.from(sealed, "base64").toString("latin1"), /123456/);
	assert.throws(() => unseal(key, sealed, "other"));
	assert.throws(() => unseal(Buffer.alloc(32, 8), sealed, "one"));
});

test("SMTP_URL and MAIL_FROM are checked, and never shown", () => {
	const read = (source: Record<string, string>) => readEnv({ SECRET_KEY: Buffer.alloc(32, 1).toString("base64"), ...source }, ["identity"]);
	for (const url of ["smtp://mail.example", "smtps://ana%40x:p%20w@mail.example:465?requireTLS=true", "smtp://[::1]:2525?ignoreTLS=true"])
		assert.equal(read({ SMTP_URL: url }).SMTP_URL, url);
	for (const url of [
		"mail.example:25",
		"http://mail.example",
		"smtp://h?logger=true",
		"smtp://h?tls.rejectUnauthorized=no",
		"smtp://hunter2:%zz@h",
	])
		assert.throws(
			() => read({ SMTP_URL: url }),
			(error: Error) => /^SMTP_URL must be a URL such as/.test(error.message) && !error.message.includes("hunter2"),
		);
	for (const from of ["no-reply@reloop.example", "Reloop <no-reply@reloop.example>"])
		assert.equal(read({ MAIL_FROM: from }).MAIL_FROM, from);
	for (const from of ["Reloop", "a@b, c@d", "A <a@b> <c@d>", "a@b\r\nBcc: c@d"])
		assert.throws(() => read({ MAIL_FROM: from }), /^Error: MAIL_FROM must be|MAIL_FROM must be/);
});
