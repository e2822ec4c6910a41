// Facts on their way from the outbox to the inboxes that hear them: nothing lost, nothing twice.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { unsentCount } from "../../mixins/facts/outbox.ts";
import { relayOnce } from "../../mixins/facts/relay.ts";
import { TELLER, carrierTo, carry, delivering, hearing, tell, upTo } from "../support/facts.ts";
import { factsHouse } from "../support/facts-house.ts";

const { teller, inInbox, asOwner } = await factsHouse();

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
