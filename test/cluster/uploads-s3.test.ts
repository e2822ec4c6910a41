// Pictures in a cluster: two processes of the catalog share an S3-compatible store, a real one, of which it is proved first that it
// refuses what is not signed as it should be.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AwsClient } from "aws4fetch";
import sharp from "sharp";
import { http, is, person } from "../support/client.ts";
import type { Person } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { anyPicture, pixels, sendFile } from "../support/pictures.ts";
import { asker, S3_BUCKET, s3Of } from "../support/s3.ts";
import type { Server } from "../support/servers.ts";
import { needs, s3Server } from "../support/servers.ts";
import { S3_ACCESS, S3_SECRET } from "../support/server-recipes.ts";
import { allBut, Cluster } from "./support/cluster.ts";

const skip = needs("versitygw", "nats-server", "redis-server", "postgres");

describe("the store of the tests", { skip }, () => {
	let store: Server;
	before(async () => {
		store = await s3Server();
		assert.equal((await asker(store)("PUT", "")).status, 200);
		assert.equal((await asker(store)("PUT", "/one", "first")).status, 200);
	});
	after(() => store?.stop());

	test("refuses a wrong secret, a wrong key, a signature that was changed, another body, and no signature at all", async () => {
		for (const wrong of [asker(store, { secretAccessKey: "another" }), asker(store, { accessKeyId: "nobody" })]) {
			// Of a key that it does not know it says 404.
			for (const [method, body] of [["GET"], ["PUT", "second"], ["DELETE"]] as const)
				assert.match(String((await wrong(method, "/one", body)).status), /^40[34]$/);
		}
		const url = `${store.url}/${S3_BUCKET}/one`;
		const client = new AwsClient({ accessKeyId: S3_ACCESS, secretAccessKey: S3_SECRET, region: "us-east-1", service: "s3" });
		const signed = await client.sign(url, { method: "GET" });
		const headers = new Headers(signed.headers);
		headers.set(
			"authorization",
			(headers.get("authorization") ?? "").replace(/.$/, (last) => (last === "0" ? "1" : "0")),
		);
		assert.equal((await fetch(url, { headers })).status, 403);
		assert.equal((await fetch(url)).status, 403);
		assert.equal((await fetch(url, { method: "PUT", body: "second" })).status, 403);
		assert.equal((await asker(store)("GET", "/one")).text, "first");
	});
});

describe("two processes of the catalog", { skip, timeout: 240_000 }, () => {
	let store: Server;
	let cluster: Cluster;
	let ana: Person;
	let door: string;

	before(async () => {
		store = await s3Server();
		cluster = await Cluster.start({
			shape: { api: 1, catalog: 2, [allBut("api", "catalog")]: 1 },
			environment: { ...s3Of(store), UPLOADS_SHARED: "false" },
		});
		door = cluster.doors("api")[0] as string;
		ana = await person(door, "Ana");
	});
	after(async () => {
		await cluster?.stop();
		await store?.stop();
	});

	/** What is behind a link, at this door. */
	const shown = async (link: string) => {
		const { pathname, search } = new URL(link);
		const answer = await fetch(new URL(pathname + search, door));
		return { status: answer.status, type: answer.headers.get("content-type"), bytes: Buffer.from(await answer.arrayBuffer()) };
	};
	const kept = async () => {
		const { text } = await asker(store)("GET", "?list-type=2&prefix=pictures/");
		return [...text.matchAll(/<Key>pictures\/([0-9a-f]{64})\/(small|medium|large)<\/Key>/g)].map(([, digest, size]) => `${digest} ${size}`);
	};

	test("take pictures in, whichever of them gets which piece, and show them", async () => {
		const exif = { IFD0: { Make: "PlantedCamera" }, IFD3: { GPSLatitude: "38/1 43/1 1234/100" } };
		const pictures = await Promise.all(
			[0, 1, 2, 3, 4, 5].map((seed) => pixels(seed, 1500, 900).withExif(exif).jpeg({ quality: 95 }).toBuffer()),
		);
		for (const bytes of pictures) assert.ok(bytes.length > 1024 * 1024);
		const made = await Promise.all(pictures.map(async (bytes) => is(await sendFile(door, ana, bytes), 201).body));
		for (const upload of made) {
			for (const [size, width] of Object.entries({ small: 160, medium: 640, large: 1500 })) {
				const { status, type, bytes } = await shown(upload.sizes[size]);
				assert.deepEqual([status, type], [200, "image/jpeg"]);
				assert.equal((await sharp(bytes).metadata()).width, width);
				assert.ok(!bytes.includes("Planted"));
			}
		}
		assert.equal((await kept()).length, made.length * 3);
		// The same once more is nothing more.
		is(await sendFile(door, ana, pictures[0] as Buffer), 201);
		assert.equal((await kept()).length, made.length * 3);
		// Nothing is in the folder that they would have without the store.
		const { pathname } = new URL(made[0].url);
		assert.equal((await fetch(`${store.url}${pathname}`)).status >= 400, true);
	});

	test("an avatar is shown by links that every door makes", async () => {
		const { body: upload } = is(await sendFile(door, ana, await anyPicture()), 201);
		const { avatar } = is(await ana.send("PATCH", `/api/profiles/${ana.profileId}`, { avatar: upload.id }), 200).body;
		assert.equal((await shown(avatar.sizes.small)).status, 200);
	});

	test("one of them dies: the other goes on", async () => {
		const { body: before } = is(await sendFile(door, ana, await anyPicture()), 201);
		const victim = cluster.one("catalog");
		await victim.end("SIGKILL");
		// Calls on their way to the dead one are asked again, or refused: a client asks once more.
		const { body: later } = await eventually(async () => is(await sendFile(door, ana, await anyPicture()), 201), 20_000);
		await eventually(async () => assert.equal((await shown(before.url)).status, 200), 20_000);
		assert.equal((await shown(later.url)).status, 200);
		await victim.start();
	});

	test("the store is away: 503, and nothing is half there; it comes back: everything is", async () => {
		const { body: upload } = is(await sendFile(door, ana, await anyPicture()), 201);
		await store.stop();
		is(await sendFile(door, ana, await anyPicture()), 503, "unavailable");
		assert.equal((await shown(upload.url)).status, 503);
		await store.start();
		await eventually(async () => assert.equal((await shown(upload.url)).status, 200));
		is(await sendFile(door, ana, await anyPicture()), 201);
	});

	test("who is erased leaves nothing in the store", async () => {
		const ben = await person(door, "Ben");
		const before = await kept();
		is(await sendFile(door, ben, await anyPicture()), 201);
		assert.equal((await kept()).length, before.length + 3);
		is(await ben.send("DELETE", "/api/auth/me", { password: ben.password }), 202);
		await eventually(async () => assert.deepEqual(await kept(), before), 20_000);
	});

	test("another one does not start with a secret that the store refuses", async () => {
		const member = cluster.one("catalog");
		await assert.rejects(
			cluster.startAside(["catalog"], { S3_SECRET_KEY: "another" }),
			/does not let us write into the bucket "pictures" \(it answers 403\)/,
		);
		assert.ok(member.running);
	});

	test("another one does not start on a folder of its own", async () => {
		const local = { S3_ENDPOINT: "", S3_BUCKET: "", S3_ACCESS_KEY: "", S3_SECRET_KEY: "" };
		await assert.rejects(cluster.startAside(["catalog"], local), /The node catalog runs already .* UPLOADS_SHARED=true/);
		assert.equal((await http(door, "/api/catalog/health")).body.status, "ok");
	});
});
