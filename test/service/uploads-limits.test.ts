// How much one account may send within an hour.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Person } from "../support/kit.ts";
import { callAction, http, person, testApp } from "../support/kit.ts";
import { anyPicture, sendFile } from "../support/pictures.ts";

// A twentieth: 15 files, 50 pieces of half a megabyte.
const { url, broker } = await testApp({ RATE_LIMIT_FACTOR: "0.05" });

const ana = await person(url, "Ana");
// With so little allowed, only one of them can register.
const { email, password } = await callAction(broker, "auth.create", { email: "ben@example.org", role: "user" });
const ben = (await http(url, "/api/auth/login", { body: { email, password } })).body.tokens;
const statuses = async (by: Pick<Person, "accessToken">, bytes: Buffer, times: number) => {
	const replies = [];
	for (let i = 0; i < times; i++) replies.push((await sendFile(url, by, bytes)).status);
	return replies.join(" ");
};

it("so many bytes, and then no more", async () => {
	const large = Buffer.concat([await anyPicture(), Buffer.alloc(9 * 1024 * 1024)]);
	assert.equal(await statuses(ben, large, 3), "201 201 429");
});

it("so many files, pictures or not, and then no more, as whichever of its profiles", async () => {
	assert.equal(await statuses(ana, Buffer.from("no picture, but it counts"), 16), `${"415 ".repeat(15)}429`);
	const { id: profileId } = (await ana.post("/api/profiles", { displayName: "Shop", kind: "organization" })).body;
	const { accessToken } = (await ana.post("/api/auth/switch-profile", { profileId })).body.tokens;
	const refused = await sendFile(url, { accessToken }, await anyPicture());
	assert.equal(refused.status, 429);
	assert.ok(Number(refused.headers.get("retry-after")) > 60);
});
