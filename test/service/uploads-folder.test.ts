// The folder of pictures: the database knows which one it is.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ServiceBroker } from "moleculer";
import { readEnv } from "../../config/env.ts";
import { database } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { folderShelf } from "../../services/catalog/pictures/folder.ts";
import { TEST_SECRET_KEY, testDatabase } from "../support/database.ts";

const fresh = await testDatabase(["catalog"]);
const homes: string[] = [];
after(async () => {
	await fresh.close();
	for (const home of homes) await rm(home, { recursive: true, force: true });
});

async function shelf(home?: string) {
	const DATA_DIR = home ?? (await mkdtemp(join(tmpdir(), "reloop-folder-")));
	homes.push(DATA_DIR);
	const broker = new ServiceBroker({ logger: false, skipProcessEventRegistration: true });
	provideSettings(broker, readEnv({ NODE_ENV: "test", DATA_DIR, SECRET_KEY: TEST_SECRET_KEY }));
	return { DATA_DIR, shelf: folderShelf(broker) };
}
const name = ({ DATA_DIR }: { DATA_DIR: string }) => readFile(join(DATA_DIR, "uploads", ".name"), "utf8");

test("as long as nothing is kept, any folder will do; then only the one that has it", async () => {
	const [one, other] = [await shelf(), await shelf()];
	// Several processes at once, where it is shared.
	const again = await shelf(one.DATA_DIR);
	await Promise.all([one.shelf.start(), again.shelf.start()]);
	await other.shelf.start();
	await one.shelf.start();
	await database("catalog").query(
		"insert into files (digest, type, width, height, small, medium, large) values ('x', 'image/png', 1, 1, 1, 1, 1)",
	);
	await one.shelf.start();
	await assert.rejects(other.shelf.start(), (error: Error & { sentence?: true }) => {
		assert.equal(error.sentence, true);
		return error.message.includes(other.DATA_DIR);
	});
	const third = await shelf();
	await assert.rejects(third.shelf.start(), /in the folder whose \.name says/);
	assert.notEqual(await name(one), await name(other));
	await (await shelf(one.DATA_DIR)).shelf.start();
});

test("what is put is there whole, by parts, and gone when it is dropped; twice does no harm", async () => {
	const { shelf: one } = await shelf();
	const digest = "ab".repeat(32);
	for (let turn = 0; turn < 2; turn++) await one.put(digest, "small", "image/png", Buffer.from("0123456789"));
	assert.equal((await one.read(digest, "small", 0, 100)).toString(), "0123456789");
	assert.equal((await one.read(digest, "small", 4, 3)).toString(), "456");
	for (let turn = 0; turn < 2; turn++) await one.drop(digest);
	await assert.rejects(one.read(digest, "small", 0, 100), { type: "unavailable" });
	// Put while it is being dropped, each ends whole or not at all.
	await Promise.all(
		Array.from({ length: 10 }, (_, at) => (at % 2 ? one.drop(digest) : one.put(digest, "small", "image/png", Buffer.from("0123456789")))),
	);
	await one.put(digest, "small", "image/png", Buffer.from("0123456789"));
	assert.equal((await one.read(digest, "small", 0, 100)).toString(), "0123456789");
});
