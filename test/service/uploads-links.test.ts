// Who sees a picture: whoever has a link, as long as the link is good.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { it } from "node:test";
import { picture } from "../../mixins/pictures.ts";
import { database } from "../../mixins/postgres.ts";
import { http, is, person, testApp, turnClock } from "../support/kit.ts";
import { anyPicture, fetchPicture, sendFile } from "../support/pictures.ts";

const app = await testApp();
const { url } = app;
const HOUR = 3_600_000;
const ana = await person(url, "Ana");
const send = async () => is(await sendFile(url, ana, await anyPicture()), 201).body;
const ask = (link: string) => http(url, link);
const open = (id: string) => picture(app.broker, id, { open: true }, new Date());

it("without a signature of ours nothing is shown, and nothing is told", async () => {
	const { id, url: link } = await send();
	const { pathname, searchParams } = new URL(link);
	const [until, signature] = [searchParams.get("until"), searchParams.get("signature") ?? ""];
	const other = await send();
	for (const wrong of [
		pathname,
		`${pathname}?until=${until}`,
		`${pathname}?signature=${signature}`,
		`${pathname}?until=${Number(until) + 1}&signature=${signature}`,
		`${pathname}?until=${until}&signature=${signature.slice(0, -1)}`,
		`${pathname}?until=${until}&signature=${signature.toUpperCase()}`,
		`${pathname}?until=${until}&signature=`,
		`${new URL(other.url).pathname}?until=${until}&signature=${signature}`,
		`/api/uploads/${randomUUID()}/large?until=${until}&signature=${signature}`,
	])
		is(await ask(wrong), 403, "forbidden");
	is(await ask(`/api/uploads/${id}/huge?until=${until}&signature=${signature}`), 404, "not-found");
	is(await ask(`${pathname}?until=soon&signature=${signature}`), 422, "validation");
	is(await ask(open(randomUUID()).url), 404, "not-found");
	is(await ana.get(pathname), 403, "forbidden");
});

it("what is shown is a picture and never a page; who has it is not sent it again", async () => {
	const { url: link } = await send();
	const { status, headers, bytes } = await fetchPicture(link);
	assert.equal(status, 200);
	assert.deepEqual(
		["x-content-type-options", "content-security-policy", "content-disposition", "cross-origin-resource-policy"].map((name) =>
			headers.get(name),
		),
		["nosniff", "default-src 'none'; frame-ancestors 'none'; sandbox", 'inline; filename="large.png"', "cross-origin"],
	);
	const [, seconds] = /^private, max-age=(\d+), immutable$/.exec(headers.get("cache-control") ?? "") ?? [];
	assert.ok(Number(seconds) > 6 * 3600 - 60 && Number(seconds) <= 12 * 3600);
	assert.equal(headers.get("content-length"), String(bytes.length));
	const etag = headers.get("etag") ?? "";
	assert.match(etag, /^"[0-9a-f]{32}-large"$/);
	for (const known of [etag, `"x", W/${etag}`, "*"]) {
		const again = await fetchPicture(link, { "If-None-Match": known });
		assert.deepEqual([again.status, again.bytes.length, again.headers.get("etag")], [304, 0, etag]);
	}
	assert.equal((await fetchPicture(link, { "If-None-Match": '"x"' })).status, 200);
	const head = await fetch(link, { method: "HEAD" });
	assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(bytes.length)]);
	assert.deepEqual((await fetchPicture(`${link}&x=1`)).status, 422);
});

it("a picture larger than a piece comes whole", async () => {
	const { url: link } = is(await sendFile(url, ana, await anyPicture(1500, 1000)), 201).body;
	const { bytes, headers } = await fetchPicture(link);
	assert.ok(bytes.length > 2 * 1024 * 1024);
	assert.equal(String(bytes.length), headers.get("content-length"));
	assert.equal(bytes.subarray(-8, -4).toString(), "IEND");
});

it("a picture whose bytes are away is 503, not half of one", async () => {
	const { id, url: link } = await send();
	await database("catalog").query("update uploads set digest = $2 where id = $1", [
		id,
		await database("catalog")
			.query<{ digest: Buffer }>("insert into files values ($1, 'image/png', 1, 1, 1, 1, 1) returning digest", [Buffer.alloc(32)])
			.then(([row]) => row?.digest),
	]);
	is(await ask(link), 503, "unavailable");
});

// With a clock that runs ahead one spends what is allowed later: these come last.

it("a link is the same for hours, is good for six at least, and ends", async () => {
	const { id, url: link } = await send();
	assert.equal((await ana.get(`/api/uploads/${id}`)).body.url, link);
	turnClock(5.9 * HOUR);
	assert.equal((await fetchPicture(link)).status, 200);
	turnClock(6.2 * HOUR);
	is(await ask(link), 403, "forbidden");
});

it("a link of a picture that is shown to everybody does not end", async () => {
	const { id } = await send();
	const { url: link } = open(id);
	turnClock(1000 * HOUR);
	const { status, headers } = await fetchPicture(link);
	assert.equal(status, 200);
	assert.equal(headers.get("cache-control"), "public, max-age=604800, immutable");
});
