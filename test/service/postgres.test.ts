import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import pg from "pg";
import { migrateAll } from "../../config/migrations.ts";
import { derivedLogin } from "../../config/roles.ts";
import { closeDatabases, configureDatabases, type Db, DATABASE_UNAVAILABLE, database, isUnavailable } from "../../mixins/postgres.ts";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { servicesWith } from "../support/nodes.ts";
import { type OwnServer, startOwnServer } from "../support/own-server.ts";

// A server of its own: this file stops and starts it.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-mixin-"));
const services = servicesWith({
	alpha: {
		"0001_things": "-- Up Migration\ncreate table things (id bigint primary key, at timestamptz);\n-- Down Migration\ndrop table things;\n",
	},
	beta: { "0001_secrets": "-- Up Migration\ncreate table secrets (word text);\n-- Down Migration\ndrop table secrets;\n" },
});
let server: OwnServer;
let alpha: Db;
const reports: string[] = [];

const urlFor = (node: string) => {
	const { user, password } = derivedLogin(node, TEST_SECRET_KEY);
	return Object.assign(new URL(server.ownerUrl), { username: user, password }).href;
};

before(async () => {
	server = await startOwnServer(folder);
	await migrateAll({ ownerUrl: server.ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: services }, "up");
	configureDatabases({ urlFor, directUrlFor: urlFor, poolSize: 3, waitMs: 1_000, report: (_error, where) => void reports.push(where) });
	alpha = database("alpha");
});
after(async () => {
	await closeDatabases();
	await server?.stop();
	fs.rmSync(folder, { recursive: true });
	fs.rmSync(services, { recursive: true });
});

test("A query answers rows: bigint as number, numeric and date as string.", async () => {
	const [row] = await alpha.query("select $1::bigint as n, array[1, null, 2]::bigint[] as ns, 1.50::numeric as sum, $2::date as day", [
		7,
		"2026-01-31",
	]);
	assert.deepEqual(row, { n: 7, ns: [1, null, 2], sum: "1.50", day: "2026-01-31" });
});

/** What SQL wrote, and how contracts have it: to the millisecond, what is finer cut off. */
const moments = [
	["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"],
	["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500Z"],
	["2026-01-01T00:00:00.07Z", "2026-01-01T00:00:00.070Z"],
	["2026-02-28T23:59:59.999999Z", "2026-02-28T23:59:59.999Z"],
	["2026-12-31T23:59:59.000001Z", "2026-12-31T23:59:59.000Z"],
	["1970-01-01T00:00:00.123456+05:30", "1969-12-31T18:30:00.123Z"],
] as const;

// A node's role is in UTC; who brings a role of their own may be anywhere. London has the offset +00, and in summer +01.
for (const zone of ["UTC", "Asia/Seoul", "Asia/Kathmandu", "America/St_Johns", "Europe/London"]) {
	test(`A timestamptz is ISO 8601 in UTC with milliseconds, as toISOString() prints it, where the session is in ${zone}.`, async () => {
		const asked = [...moments.map(([written]) => written), "2026-07-01T12:00:00Z"];
		const [row] = await alpha.tx(async (tx) => {
			await tx.query(`set local timezone to '${zone}'`);
			return tx.query<{ at: string; all: (string | null)[]; newest: string; none: string | null }>(
				`select min(at) as at, array_agg(at order by n) || null::timestamptz as all, max(at) as newest, min(at) filter (where false) as none
				from unnest($1::timestamptz[]) with ordinality as m(at, n)`,
				[asked],
			);
		});
		const all = [...moments.map(([, read]) => read), "2026-07-01T12:00:00.000Z"];
		assert.deepEqual(row, { at: all.toSorted()[0], all: [...all, null], newest: all.toSorted().at(-1), none: null });
		for (const at of all) assert.equal(new Date(at).toISOString(), at);
	});
}

test("A time is a Date or a text where it is given, and comes back the same.", async () => {
	const at = "2026-03-04T05:06:07.890Z";
	const [row] = await alpha.query("select $1::timestamptz as one, $2::timestamptz as other, $1::timestamptz = $2::timestamptz as same", [
		at,
		new Date(at),
	]);
	assert.deepEqual(row, { one: at, other: at, same: true });
});

test("A time in another form is an error, not a wrong time: a node's role writes none.", async () => {
	assert.deepEqual(await alpha.query("select current_setting('timezone') as zone, current_setting('datestyle') as style"), [
		{ zone: "UTC", style: "ISO, MDY" },
	]);
	for (const style of ["SQL, DMY", "German", "Postgres, MDY"]) {
		const asked = alpha.tx(async (tx) => {
			await tx.query(`set local datestyle to '${style}'`);
			return tx.query("select '2026-01-02T00:00:00Z'::timestamptz as at");
		});
		await assert.rejects(asked, /its DateStyle must be ISO/, style);
	}
	await assert.rejects(alpha.query("select 'infinity'::timestamptz as at"), /infinity/);
	assert.deepEqual(await alpha.query("select 1 as here"), [{ here: 1 }]);
});

test("A transaction commits as a whole, and its effects run after the commit in their order.", async () => {
	const seen: unknown[] = [];
	const answer = await alpha.tx(async (tx) => {
		tx.afterCommit(() => seen.push("first"));
		tx.afterCommit(() => seen.push("second"));
		await tx.query("insert into things (id) values ($1)", [1], "insert-thing");
		await tx.query("insert into things (id) values ($1)", [2], "insert-thing");
		assert.deepEqual(seen, []);
		assert.deepEqual(await alpha.query("select id from things"), []);
		return "done";
	});
	assert.equal(answer, "done");
	assert.deepEqual(seen, ["first", "second"]);
	assert.equal((await alpha.query("select id from things")).length, 2);
});

test("A transaction that throws leaves nothing, and its effects do not run.", async () => {
	const seen: string[] = [];
	const boom = new Error("boom");
	const attempt = alpha.tx(async (tx) => {
		tx.afterCommit(() => seen.push("never"));
		await tx.query("insert into things (id) values (10)");
		throw boom;
	});
	await assert.rejects(attempt, boom);
	assert.deepEqual(await alpha.query("select id from things where id = 10"), []);
	assert.deepEqual(seen, []);
});

test("A statement that is only sent is committed with the rest, in the order in which they were asked.", async () => {
	await alpha.tx(async (tx) => {
		tx.send("insert into things (id) values ($1)", [12], "insert-thing");
		assert.deepEqual(await tx.query("select id from things where id = 12"), [{ id: 12 }]);
		tx.send("insert into things (id) values ($1)", [13], "insert-thing");
	});
	assert.deepEqual(await alpha.query("select id from things where id in (12, 13) order by id"), [{ id: 12 }, { id: 13 }]);
});

test("A statement that is only sent and fails undoes the transaction and says why, whatever followed it; the connection is good afterwards.", async () => {
	const seen: string[] = [];
	for (const follows of ["select 1", undefined]) {
		const attempt = alpha.tx(async (tx) => {
			tx.afterCommit(() => seen.push("never"));
			await tx.query("insert into things (id) values (14)");
			tx.send("insert into things (id) values (14)");
			if (follows) await tx.query(follows);
		});
		await assert.rejects(attempt, { code: "23505" });
	}
	assert.deepEqual(await alpha.query("select id from things where id = 14"), []);
	assert.deepEqual(seen, []);
});

test("A failed statement that the work swallows does not end in a pretended commit.", async () => {
	const attempt = alpha.tx(async (tx) => {
		await tx.query("insert into things (id) values (11)");
		await tx.query("select nonsense").catch(() => {});
	});
	await assert.rejects(attempt, /rolled back/);
	assert.deepEqual(await alpha.query("select id from things where id = 11"), []);
});

test("An effect that throws is reported and hurts nobody.", async () => {
	await alpha.tx(async (tx) => {
		await tx.query("select 1");
		tx.afterCommit(() => {
			throw new Error("boom");
		});
	});
	assert.ok(reports.some((where) => /alpha: an effect after the commit failed/.test(where)));
});

test("A database error keeps its SQLSTATE.", async () => {
	await alpha.query("insert into things (id) values (20)");
	await assert.rejects(alpha.query("insert into things (id) values (20)"), { code: "23505" });
});

test("The role of one node cannot select from another node's schema.", async () => {
	await assert.rejects(alpha.query("select * from beta.secrets"), { code: "42501", message: /permission denied for schema beta/ });
	assert.deepEqual(await database("beta").query("select * from secrets"), []);
});

test("A listener hears first that it listens, then what is said, until it leaves.", async () => {
	const heard: (string | null)[] = [];
	let wake = () => {};
	const next = () => new Promise<void>((resolve) => (wake = resolve));
	const stop = await alpha.listen("news", (payload) => {
		heard.push(payload);
		wake();
	});
	const told = next();
	await alpha.tx((tx) => tx.query("select pg_notify('news', 'hello')"));
	await told;
	assert.deepEqual(heard, [null, "hello"]);
	await stop();
	await alpha.query("select pg_notify('news', 'nobody hears')");
	assert.equal(heard.length, 2);
});

test("An owner who is no superuser, as on a hosted server, can migrate, and its nodes are walled off too.", async () => {
	const own = servicesWith({
		gamma: { "0001_a": "-- extensions: pg_trgm\n-- Up Migration\ncreate table a (word text);\n-- Down Migration\ndrop table a;\n" },
		delta: { "0001_b": "-- Up Migration\ncreate table b (word text);\n-- Down Migration\ndrop table b;\n" },
	});
	const asking = async (url: string, ...statements: string[]) => {
		const client = new pg.Client({ connectionString: url });
		await client.connect();
		try {
			for (const sql of statements) await client.query(sql);
		} finally {
			await client.end();
		}
	};
	try {
		await asking(server.ownerUrl, "create role keeper login createrole password 'keeper'", "create database kept owner keeper");
		const ownerUrl = Object.assign(new URL(server.ownerUrl), { username: "keeper", password: "keeper", pathname: "/kept" }).href;
		const options = { ownerUrl, secretKey: TEST_SECRET_KEY, servicesDir: own };
		const ran = await migrateAll(options, "up");
		assert.deepEqual(
			ran.filter((name) => !name.includes("/mixins/")),
			["delta/0001_b", "gamma/0001_a"],
		);
		assert.deepEqual(await migrateAll(options, "up"), []);
		const changed = { ...options, secretKey: Buffer.alloc(32, 8).toString("base64") };
		assert.deepEqual(await migrateAll(changed, "up"), []);
		const { user, password } = derivedLogin("gamma", changed.secretKey);
		const gamma = Object.assign(new URL(ownerUrl), { username: user, password }).href;
		await asking(gamma, "insert into a values ('x')", "select word % 'x' from a");
		await assert.rejects(asking(gamma, "select * from delta.b"), { code: "42501" });
		assert.deepEqual(await migrateAll(changed, "down"), ["delta/0001_b", "gamma/0001_a"]);
	} finally {
		fs.rmSync(own, { recursive: true });
	}
});

test("When the pool is used up for too long the answer is: not now.", async () => {
	const slow = alpha.tx((tx) => tx.query("select pg_sleep(1.5)"));
	const more = [alpha.tx((tx) => tx.query("select pg_sleep(1.5)")), alpha.tx((tx) => tx.query("select pg_sleep(1.5)"))];
	await assert.rejects(alpha.query("select 1"), (error) => isUnavailable(error));
	await Promise.all([slow, ...more]);
});

test("A restart of the database does not end the process: the pool answers again, and the listeners listen again.", async () => {
	const heard: (string | null)[] = [];
	const waiting = new Set<() => void>();
	const until = async (done: () => boolean) => {
		while (!done()) await new Promise<void>((resolve) => waiting.add(resolve));
	};
	const stop = await alpha.listen("news", (payload) => {
		heard.push(payload);
		for (const wake of waiting) wake();
	});
	// Idle connections, one in a transaction, one in the midst of a statement.
	await Promise.all([alpha.query("select 1"), alpha.query("select 1"), alpha.query("select 1")]);
	const cut = alpha.query("select pg_sleep(20)").then(
		() => assert.fail("it should have been cut"),
		(error: unknown) => error,
	);
	const held = alpha.tx(async (tx) => {
		await tx.query("insert into things (id) values (30)");
		await server.stop();
		await tx.query("insert into things (id) values (31)");
	});
	await assert.rejects(held, { code: DATABASE_UNAVAILABLE });
	assert.ok(isUnavailable(await cut));
	assert.equal(await alpha.healthy(), false);
	await assert.rejects(alpha.query("select 1"), { code: DATABASE_UNAVAILABLE });

	server = await startOwnServer(folder);
	assert.equal(await alpha.healthy(), true);
	assert.deepEqual(await alpha.query("select id from things where id >= 30"), []);
	await until(() => heard.length === 2);
	assert.deepEqual(heard, [null, null]);
	await alpha.query("select pg_notify('news', 'again')");
	await until(() => heard.length === 3);
	assert.equal(heard[2], "again");
	assert.ok(reports.some((where) => /listening again/.test(where)));
	await stop();
});
