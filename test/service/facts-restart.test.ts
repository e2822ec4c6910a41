// The database restarts in the middle of the work, again and again: every fact told is handled, once, in order.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import type { ServiceBroker } from "moleculer";
import { migrateAll } from "../../config/migrations.ts";
import { derivedLogin } from "../../config/roles.ts";
import { unsentCount } from "../../mixins/facts/outbox.ts";
import { closeDatabases, configureDatabases, database, isUnavailable } from "../../mixins/postgres.ts";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { HEARER, hearing, makeEffects, noted, startProcess, TELLER, tell, upTo } from "../support/facts.ts";
import { type OwnServer, startOwnServer } from "../support/own-server.ts";

/** A server of its own: others may not be restarted under the feet of other tests. */
let home: string;
let server: OwnServer;
let broker: ServiceBroker;

before(async () => {
	home = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-restart-"));
	fs.chmodSync(home, 0o755);
	server = await startOwnServer(home);
	await migrateAll({ ownerUrl: server.ownerUrl, secretKey: TEST_SECRET_KEY, nodes: [TELLER, HEARER] }, "up");
	const urlFor = (node: string) => {
		const { user, password } = derivedLogin(node, TEST_SECRET_KEY);
		return Object.assign(new URL(server.ownerUrl), { username: user, password }).href;
	};
	configureDatabases({ urlFor, directUrlFor: urlFor, report: () => {} });
	await makeEffects(database(HEARER));
	broker = await startProcess({ ears: hearing("ears"), eyes: hearing("eyes") });
});
after(async () => {
	await broker?.stop();
	await closeDatabases();
	await server?.stop();
	fs.rmSync(home, { recursive: true, force: true });
});

test("the database restarting in the middle of the work loses nothing and repeats nothing", { timeout: 60_000 }, async () => {
	const groups = ["a", "b", "c"];
	/** What each group was promised: told, and the transaction committed. */
	const told = new Map<string, number>();
	let telling = true;
	const tellers = groups.map(async (group) => {
		for (let n = 1; telling; ) {
			try {
				await tell(group, n);
				told.set(group, n++);
			} catch (error) {
				assert.ok(isUnavailable(error), String(error));
				// Told or not? Whoever asks the store knows.
				const [row] = await eventually(() =>
					database(TELLER).query<{ last: number }>(
						"select coalesce(max((payload ->> 'seq')::int), 0) as last from outbox where aggregate = $1",
						[group],
					),
				);
				n = (row?.last ?? 0) + 1;
				told.set(group, n - 1);
			}
		}
	});
	for (let round = 1; round <= 3; round++) {
		const reached = (told.get("a") ?? 0) + 40;
		await eventually(() => assert.ok((told.get("a") ?? 0) >= reached));
		await server.stop();
		server = await startOwnServer(home);
	}
	telling = false;
	await Promise.all(tellers);
	for (const group of groups) {
		for (const name of ["ears", "eyes"])
			await eventually(async () => assert.deepEqual(await noted(name, group), upTo(told.get(group) as number)), 30_000);
	}
	await eventually(async () => assert.equal(await unsentCount(database(TELLER)), 0), 30_000);
	const [tried] = await database(HEARER).query<{ tries: number }>("select max(tries) as tries from inbox");
	assert.equal(tried?.tries, 0, "nobody's fault, so no try was counted");
});
