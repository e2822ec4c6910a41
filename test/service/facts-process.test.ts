// Facts in running processes: who is woken, and who takes over.
import assert from "node:assert/strict";
import { after, beforeEach, describe, test } from "node:test";
import type { ServiceBroker } from "moleculer";
import pg from "pg";
import { tellFacts } from "../../mixins/facts/index.ts";
import { eventually } from "../support/eventually.ts";
import { TELLER, cause, hearing, noted, posted, startProcess, tell, upTo } from "../support/facts.ts";
import { factsHouse } from "../support/facts-house.ts";

const { urlFor, hearer, asOwner } = await factsHouse();

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
		const stranger = new pg.Client({ connectionString: urlFor(TELLER) });
		await stranger.connect();
		try {
			await tellFacts(
				{ query: async (sql, values) => (await stranger.query(sql, values as unknown[])).rows, send: () => {}, afterCommit: () => {} },
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
