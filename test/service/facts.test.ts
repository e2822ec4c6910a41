// Facts from the transaction that tells them to the inboxes that hear them: nothing lost, nothing twice, nothing early.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import pg from "pg";
import type { AnyFact } from "../../services/contracts/index.ts";
import { tellEach, tellFacts } from "../../mixins/facts/index.ts";
import { makePartitions, unsentCount } from "../../mixins/facts/outbox.ts";
import { relayOnce } from "../../mixins/facts/relay.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import {
	carrierTo,
	carry,
	cause,
	delivering,
	forgetEverything,
	HEARER,
	hearing,
	makeEffects,
	noted,
	posted,
	startProcess,
	TELLER,
	tell,
	upTo,
	work,
} from "../support/facts.ts";

let fresh: FreshDatabase;
let teller: Db;
let hearer: Db;

before(async () => {
	fresh = await testDatabase([TELLER, HEARER]);
	teller = database(TELLER);
	hearer = database(HEARER);
	await makeEffects(hearer);
});
after(() => fresh.close());
beforeEach(forgetEverything);

/** What lies in the inbox about a group, in the order of its arrival. */
async function inInbox(group: string): Promise<number[]> {
	const rows = await hearer.query<{ n: number }>("select (payload ->> 'seq')::int as n from inbox where aggregate = $1 order by position", [
		group,
	]);
	return rows.map(({ n }) => n);
}

describe("the outbox", () => {
	test("tells nothing of a transaction that was rolled back", async () => {
		const consumers = { ears: hearing("ears") };
		await assert.rejects(
			teller.tx(async (tx) => {
				await tellFacts(tx, cause, [posted("g", 1)]);
				throw new Error("changed my mind");
			}),
			/changed my mind/,
		);
		await carry(consumers);
		assert.equal(await unsentCount(teller), 0);
		assert.deepEqual(await inInbox("g"), []);
	});

	test("does not skip a transaction that commits late", async () => {
		const consumers = { ears: hearing("ears") };
		const told = Promise.withResolvers<void>();
		const commit = Promise.withResolvers<void>();
		const late = teller.tx(async (tx) => {
			await tellFacts(tx, cause, [posted("late", 1)]);
			told.resolve();
			await commit.promise;
		});
		await told.promise;
		await tell("early", 1);
		await carry(consumers);
		assert.deepEqual(await inInbox("early"), [1]);
		assert.deepEqual(await inInbox("late"), []);
		commit.resolve();
		await late;
		await carry(consumers);
		assert.deepEqual(await inInbox("late"), [1]);
	});

	test("keeps what was carried, and marks it", async () => {
		await tell("g", 1, 3);
		await carry({ ears: hearing("ears") });
		const rows = await teller.query<{ sent: boolean }>("select sent_at is not null as sent from outbox");
		assert.deepEqual(rows, [{ sent: true }, { sent: true }, { sent: true }]);
	});

	test("what was written to the microsecond is marked too", async () => {
		await tell("g", 1);
		await teller.query("update outbox set at = date_trunc('milliseconds', at) + interval '999 microseconds'");
		await carry({ ears: hearing("ears") });
		assert.equal(await unsentCount(teller), 0);
	});

	test("a fact arrives whole: name, version, time, cause and payload", async () => {
		const fact = posted("g", 7);
		await teller.tx((tx) => tellFacts(tx, cause, [fact]));
		const heard: AnyFact[] = [];
		const ears = hearing("ears", { before: (facts) => void heard.push(...facts) });
		await carry({ ears });
		await work("ears", ears);
		const [{ id, at, ...rest }] = heard as [AnyFact];
		assert.match(id, /^[0-9a-f-]{14}7/);
		assert.equal(new Date(at).toISOString(), at);
		assert.partialDeepStrictEqual(rest, {
			type: "groups.message.posted",
			version: 1,
			aggregate: "g",
			requestId: cause.requestId,
			actor: cause.actor,
			payload: fact.payload,
		});
	});

	test("what a consumer tells in one go keeps the cause of each", async () => {
		const other = { requestId: "another", actor: randomUUID() };
		await teller.tx((tx) =>
			tellEach(tx, [
				{ ...posted("g", 1), cause },
				{ ...posted("g", 2), cause: other },
			]),
		);
		const rows = await teller.query('select request_id as "requestId", actor from outbox order by id');
		assert.deepEqual(rows, [cause, other]);
	});

	test("a month's rows get a partition of their own, also when two processes make it at once", async () => {
		const month = new Date("2031-05-17T00:00:00Z");
		await Promise.all([makePartitions(teller, month), makePartitions(teller, month), makePartitions(hearer, month)]);
		const rows = await teller.query<{ relname: string }>(
			"select relname from pg_class where relname in ('outbox_2031_05', 'outbox_2031_06', 'outbox_2031_07') and relnamespace = 'groups'::regnamespace order by 1",
		);
		assert.deepEqual(
			rows.map(({ relname }) => relname),
			["outbox_2031_05", "outbox_2031_06", "outbox_2031_07"],
		);
	});

	test("facts are told also in a month without a partition, and its partition is not made over them", async () => {
		await teller.query(
			"insert into outbox (fact_id, type, version, aggregate, at, payload) select fact, 'groups.message.posted', 1, 'g', '2040-01-15', '{\"seq\": 1}' from gen_random_uuid() as fact",
		);
		await makePartitions(teller, new Date("2039-12-01T00:00:00Z"));
		await carry({ ears: hearing("ears") });
		assert.deepEqual(await inInbox("g"), [1]);
		assert.equal(await unsentCount(teller), 0);
	});
});

describe("the relay", () => {
	test("two at once deliver in order per aggregate, and once", async () => {
		const consumers = { ears: hearing("ears") };
		const inner = carrierTo(consumers);
		let at = 0;
		const carrier = delivering(inner, async (...portion) => {
			assert.equal(++at, 1, "one relay delivers at a time");
			await turn();
			const carried = await inner.deliver(...portion);
			at--;
			return carried;
		});
		let telling = true;
		const relay = async () => {
			while (telling || (await unsentCount(teller)) > 0) await relayOnce(teller, TELLER, carrier);
		};
		const relays = [relay(), relay()];
		const groups = ["a", "b", "c", "d"];
		await Promise.all(
			groups.map(async (group) => {
				for (let n = 1; n <= 200; n += 4) await tell(group, n, n + 3);
			}),
		);
		telling = false;
		await Promise.all(relays);
		for (const group of groups) assert.deepEqual(await inInbox(group), upTo(200));
	});

	test("a carrier that fails after some receivers have stored sends again, and inboxes take it once", async () => {
		const consumers = { ears: hearing("ears") };
		const inner = carrierTo(consumers);
		const broken = delivering(inner, async (tx, node, rows) => {
			await inner.deliver(tx, node, rows.slice(0, 2));
			throw new Error("the other receiver is away");
		});
		await tell("g", 1, 5);
		await assert.rejects(relayOnce(teller, TELLER, broken), /away/);
		assert.equal(await unsentCount(teller), 5);
		assert.deepEqual(await inInbox("g"), [1, 2]);
		await carry(consumers, inner);
		assert.deepEqual(await inInbox("g"), upTo(5));
		assert.equal(await unsentCount(teller), 0);
	});

	test("one that dies between delivering and marking is followed by one that sends again", async () => {
		const consumers = { ears: hearing("ears") };
		const inner = carrierTo(consumers);
		const dying = delivering(inner, async (...portion) => {
			const carried = await inner.deliver(...portion);
			// The relay's own connection, and with it its lock, is gone: as if its process had been killed.
			await asOwner((client) =>
				client.query(
					"select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
				),
			);
			return carried;
		});
		await tell("g", 1, 5);
		await assert.rejects(relayOnce(teller, TELLER, dying));
		assert.equal(await unsentCount(teller), 5);
		await carry(consumers);
		assert.equal(await unsentCount(teller), 0);
		assert.deepEqual(await inInbox("g"), upTo(5));
	});

	test("carries more than one portion", async () => {
		await tell("g", 1, 1_234);
		await carry({ ears: hearing("ears") });
		assert.deepEqual(await inInbox("g"), upTo(1_234));
	});

	test("facts that nobody hears are carried too, so that they wait for nobody", async () => {
		await tell("g", 1, 3);
		await carry({ ears: hearing("ears", { facts: ["groups.member.joined"] }) });
		assert.equal(await unsentCount(teller), 0);
		assert.deepEqual(await inInbox("g"), []);
	});
});

async function asOwner(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
	const client = new pg.Client({ connectionString: fresh.ownerUrl });
	await client.connect();
	try {
		await work(client);
	} finally {
		await client.end();
	}
}

describe("a running process", () => {
	let running: ServiceBroker[] = [];
	const start = async (...from: Parameters<typeof startProcess>) => {
		const broker = await startProcess(from[0]);
		running.push(broker);
		return broker;
	};
	beforeEach(async () => {
		await Promise.all(running.map((broker) => broker.stop()));
		running = [];
	});
	after(() => Promise.all(running.map((broker) => broker.stop())));

	/** Waits until a consumer has written down all of a group, in order. */
	const hears = (name: string, group: string, numbers: number[]) =>
		eventually(async () => assert.deepEqual(await noted(name, group), numbers));

	test("is woken by the commit of somebody else's connection", async () => {
		await start({ ears: hearing("ears") });
		await tell("g", 1);
		await hears("ears", "g", [1]);
		const stranger = new pg.Client({ connectionString: fresh.urlFor(TELLER) });
		await stranger.connect();
		try {
			await tellFacts(
				{ query: async (sql, values) => (await stranger.query(sql, values as unknown[])).rows, afterCommit: () => {} },
				cause,
				[posted("g", 2)],
			);
		} finally {
			await stranger.end();
		}
		await hears("ears", "g", [1, 2]);
	});

	test("finds at its start what was told while nobody ran", async () => {
		await tell("g", 1, 50);
		await start({ ears: hearing("ears") });
		await hears("ears", "g", upTo(50));
	});

	test("goes on with what a stopped one left", async () => {
		const first = await start({ ears: hearing("ears") });
		const telling = (async () => {
			for (let n = 1; n <= 100; n++) await tell("g", n);
		})();
		await eventually(async () => assert.ok((await noted("ears", "g")).length > 0));
		await first.stop();
		await start({ ears: hearing("ears") });
		await telling;
		await hears("ears", "g", upTo(100));
	});

	test("two of them handle everything once, in order per aggregate", async () => {
		await Promise.all([start({ ears: hearing("ears"), eyes: hearing("eyes") }), start({ ears: hearing("ears"), eyes: hearing("eyes") })]);
		const groups = ["a", "b", "c"];
		await Promise.all(
			groups.map(async (group) => {
				for (let n = 1; n <= 100; n++) await tell(group, n);
			}),
		);
		for (const group of groups) {
			await hears("ears", group, upTo(100));
			await hears("eyes", group, upTo(100));
		}
	});

	test("a consumer that fails delays no other, is tried again, and ends in a dead letter", async () => {
		await start({
			well: hearing("well"),
			ill: hearing("ill", {
				maxTries: 3,
				backoff: 1,
				before: () => {
					throw new Error("ill as ever");
				},
			}),
		});
		await tell("g", 1, 20);
		await hears("well", "g", upTo(20));
		await eventually(async () => {
			const [dead] = await hearer.query<{ tries: number; cause: string }>(
				"select tries, cause from inbox where consumer = 'ill' and dead_at is not null",
			);
			assert.equal(dead?.tries, 3);
			assert.match(dead?.cause ?? "", /ill as ever/);
		});
		assert.deepEqual(await noted("ill", "g"), []);
	});

	test("hears again when its connections were cut", async () => {
		await start({ ears: hearing("ears") });
		await tell("g", 1);
		await hears("ears", "g", [1]);
		await asOwner((client) =>
			client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"),
		);
		await eventually(() => tell("g", 2));
		await hears("ears", "g", [1, 2]);
	});
});
