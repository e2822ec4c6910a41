// kill -9 in the middle of broadcasts: whoever is started next goes on, and everybody is told, once.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { database } from "../../../mixins/postgres.ts";
import { signIn } from "../../support/access/callers.ts";
import { connect, http, is, listen, person } from "../../support/client.ts";
import { crowd } from "../../support/crowd.ts";
import { testDatabase, TEST_SECRET_KEY } from "../../support/database.ts";
import { eventually } from "../../support/eventually.ts";
import { startProcess } from "../../support/process.ts";

const CROWD = 15_000;
const KILLS = 3;

const fresh = await testDatabase();
const folder = await mkdtemp(join(tmpdir(), "reloop-test-"));
after(async () => {
	await fresh.close();
	await rm(folder, { recursive: true, force: true });
});
const start = () => startProcess(folder, { DATABASE_URL: fresh.ownerUrl, SECRET_KEY: TEST_SECRET_KEY, TTL_ACCESS: "86400" });

test(`two broadcasts to ${CROWD} profiles over ${KILLS} kills: each has both, once, and sees them where it was offline`, {
	timeout: 300_000,
}, async () => {
	let running = await start();
	const [ada, ben] = await Promise.all([person(running.url, "Ada"), person(running.url, "Ben")]);
	await database("identity").query("update accounts set role = 'admin' where id = $1", [ada.accountId]);
	await signIn(running.url, ada);
	await crowd(CROWD);
	const told = async (): Promise<number> =>
		(await database("presence").query<{ n: number }>("select count(*)::int as n from notifications where wording = 'said'"))[0]?.n ?? 0;
	const ids: string[] = [];
	for (const title of ["First", "Second"]) {
		const body = { title, body: "b" };
		const headers = { "Idempotency-Key": randomUUID() };
		ids.push(is(await http(running.url, "/api/admin/notifications/broadcast", { token: ada.accessToken, body, headers }), 202).body.id);
	}
	for (let kill = 1; kill <= KILLS; kill++) {
		// Each time in the middle, a good deal behind where it was.
		const before = await told();
		await eventually(async () => assert.ok((await told()) >= Math.min(before + CROWD / 5, 2 * CROWD)), 60_000);
		assert.equal(await running.end("SIGKILL"), "SIGKILL");
		assert.ok((await told()) < 2 * CROWD, "it was in the middle");
		running = await start();
	}
	for (const id of ids) {
		const job = await eventually(async () => {
			const { body } = is(await http(running.url, `/api/jobs/${id}`, { token: ada.accessToken }), 200);
			assert.equal(body.state, "done", JSON.stringify(body));
			return body;
		}, 120_000);
		assert.deepEqual(job.result, { recipients: CROWD + 2, notified: CROWD + 2 });
	}
	const rows = await database("presence").query<{ title: string; all: number; of: number }>(
		`select title, count(*)::int as "all", count(distinct profile_id)::int as "of" from notifications where wording = 'said' group by title order by title`,
	);
	assert.deepEqual(
		rows,
		["First", "Second"].map((title) => ({ title, all: CROWD + 2, of: CROWD + 2 })),
	);
	const broken = await database("presence").query("select room from room_events group by room having count(*) <> max(seq)");
	assert.deepEqual(broken, [], "rooms without a gap");
	const socket = await connect(running.url, ben.accessToken);
	const heard = listen(socket, `profile:${ben.profileId}`);
	const { data } = is(await http(running.url, "/api/notifications", { token: ben.accessToken }), 200).body;
	assert.deepEqual(data.flatMap(({ kind, title }: { kind: string; title: string }) => (kind === "system" ? [title] : [])).sort(), [
		"First",
		"Second",
	]);
	assert.deepEqual(heard, []);
	socket.close();
	await running.end();
});
