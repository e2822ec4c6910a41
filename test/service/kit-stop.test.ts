// The end of a test's app: some tests stop it themselves, and the hook of their file stops it once more.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serverOfOwn } from "../support/database.ts";
import { startTestApp } from "../support/kit.ts";

let folder: string;
before(async () => {
	folder = await mkdtemp(join(tmpdir(), "reloop-kit-"));
	// Where tests run as root, the server is another user.
	await chmod(folder, 0o755);
	serverOfOwn(folder);
});
after(() => rm(folder, { recursive: true }));

test("an app that has been stopped can be stopped again, though the server of its database is gone", async () => {
	const app = await startTestApp();
	await app.stop();
	await app.stop();
});
