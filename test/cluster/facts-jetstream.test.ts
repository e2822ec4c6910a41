// Facts over a real JetStream: nothing lost, nothing twice, in order per aggregate, whoever dies or forgets.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { ServiceBroker } from "moleculer";
import type { ConsumerInfo, JetStreamManager, NatsConnection } from "nats";
import { connect } from "nats";
import { JetStreamCarrier } from "../../mixins/facts/jetstream.ts";
import { unsentCount } from "../../mixins/facts/outbox.ts";
import { relayOnce } from "../../mixins/facts/relay.ts";
import { receive } from "../../mixins/facts/inbox.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import type { Consumer } from "../../mixins/facts/index.ts";
import type { Nats } from "../../mixins/nats.ts";
import { natsOf } from "../../mixins/nats.ts";
import type { Db } from "../../mixins/postgres.ts";
import { database } from "../../mixins/postgres.ts";
import type { FreshDatabase } from "../support/database.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { forgetEverything, HEARER, hearing, makeEffects, noted, numberOf, startProcess, TELLER, tell, upTo } from "../support/facts.ts";
import type { Server } from "../support/servers.ts";
import { natsServer, needs } from "../support/servers.ts";

const STREAM = "FACTS_groups";
const DURABLE = `${HEARER}-ears`;

describe("facts over JetStream", { skip: needs("nats-server") }, () => {
	let fresh: FreshDatabase;
	let teller: Db;
	let hearer: Db;
	let server: Server;
	/** Our own, beside those of the processes. */
	let connection: NatsConnection;
	let manager: JetStreamManager;
	let running: ServiceBroker[] = [];

	before(async () => {
		fresh = await testDatabase([TELLER, HEARER]);
		teller = database(TELLER);
		hearer = database(HEARER);
		await makeEffects(hearer);
		server = await natsServer();
	});
	after(async () => {
		await connection?.close();
		await server?.stop();
		await fresh?.close();
	});
	beforeEach(async () => {
		await forgetEverything();
		await emptyServer();
	});
	afterEach(async () => {
		await Promise.all(running.map((broker) => broker.stop()));
		running = [];
	});

	/** A server that has forgotten everything, with us connected to it. (Streams that are deleted leave something for a while.) */
	const emptyServer = async (): Promise<void> => {
		await connection?.close();
		await server.wipe();
		connection = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
		manager = await connection.jetstreamManager();
	};
	const start = async (consumers: Record<string, Consumer>, nodes?: string[]): Promise<ServiceBroker> => {
		const broker = await startProcess(consumers, { natsUrls: [server.url], ...(nodes ? { nodes } : {}) });
		running.push(broker);
		return broker;
	};
	const stop = async (broker: ServiceBroker): Promise<void> => {
		running = running.filter((other) => other !== broker);
		await broker.stop();
	};
	const hears = (name: string, group: string, numbers: number[], limitMs?: number) =>
		eventually(async () => {
			const heard = await noted(name, group);
			// First: what differs between thousands takes seconds to say.
			assert.equal(heard.length, numbers.length);
			assert.deepEqual(heard, numbers);
		}, limitMs);
	const allSent = () => eventually(async () => assert.equal(await unsentCount(teller), 0));
	/** Each fact is once in the inbox of a consumer, and in the order of its aggregate. */
	const inInbox = async (group: string, consumer = "ears"): Promise<number[]> => {
		const rows = await hearer.query<{ n: number }>(
			"select (payload ->> 'seq')::int as n from inbox where aggregate = $1 and consumer = $2 order by position",
			[group, consumer],
		);
		return rows.map(({ n }) => n);
	};
	/** Tells messages 1… of a group, each in a transaction of its own, until told to stop; answers how many. */
	const telling = (group: string) => {
		let on = true;
		let told = 0;
		const done = (async () => {
			while (on) {
				await tell(group, told + 1);
				told++;
			}
		})();
		return {
			reached: (more: number) => {
				const aim = told + more;
				return eventually(() => assert.ok(told >= aim));
			},
			end: async () => {
				on = false;
				await done;
				return told;
			},
		};
	};
	const durable = (name = DURABLE): Promise<ConsumerInfo> => manager.consumers.info(STREAM, name);
	/** A carrier on our own connection, with nobody behind it: relays and sources are worked by hand. */
	const byHand = () => {
		const nats: Nats = { connection, connected: true, onReconnect: () => () => {}, onDisconnect: () => () => {} };
		return new JetStreamCarrier(nats, { replicas: 1, say: () => {} });
	};
	const relayAll = async (carrier: JetStreamCarrier) => {
		while ((await relayOnce(teller, TELLER, carrier)) !== null);
	};
	const sourceOf = (carrier: JetStreamCarrier, types = ["groups.message.posted"], after?: (facts: AnyFact[]) => void) => {
		const [source] = carrier.register(HEARER, "ears", new Set(types), async (facts, tx) => {
			await receive(tx ?? hearer, { ears: hearing("ears", { facts: types as Consumer["facts"] }) }, facts);
			after?.(facts);
		});
		assert.ok(source);
		return source;
	};
	const takeAll = async (source: { work(): Promise<number | null> }) => {
		while ((await source.work()) !== null);
	};

	describe("the stream", () => {
		test("is made explicitly: kept in files for thirty days, with a window for messages that come twice", async () => {
			await start({ ears: hearing("ears") });
			const { config } = await eventually(() => manager.streams.info(STREAM));
			const day = 86_400 * 1e9;
			assert.partialDeepStrictEqual(config, {
				subjects: ["reloop.facts.groups.>"],
				storage: "file",
				retention: "limits",
				discard: "old",
				max_age: 30 * day,
				num_replicas: 1,
				duplicate_window: 120 * 1e9,
			});
		});

		test("holds each fact once, under its own id, as it was told", async () => {
			const carrier = byHand();
			await tell("g", 1, 3);
			await relayAll(carrier);
			const rows = await teller.query<{ id: string }>("select fact_id as id from outbox order by outbox.id");
			const messages = await Promise.all([1, 2, 3].map((seq) => manager.streams.getMessage(STREAM, { seq })));
			assert.deepEqual(
				messages.map(({ header }) => header.get("Nats-Msg-Id")),
				rows.map(({ id }) => id),
			);
			assert.deepEqual(
				messages.map((message) => numberOf(message.json<AnyFact>())),
				[1, 2, 3],
			);
			assert.equal(messages[0]?.subject, "reloop.facts.groups.message.posted");
		});
	});

	describe("a consumer", () => {
		test("hears what was told while it did not exist yet", async () => {
			await start({}, [TELLER]);
			await tell("g", 1, 1_200);
			await allSent();
			await start({ ears: hearing("ears") }, [HEARER]);
			await hears("ears", "g", upTo(1_200));
		});

		test("hears what was told before there was a teller's process or a stream", async () => {
			await start({ ears: hearing("ears") }, [HEARER]);
			await tell("g", 1, 3);
			await start({}, [TELLER]);
			await hears("ears", "g", [1, 2, 3]);
		});

		test("goes on where it was after a while away", async () => {
			await start({}, [TELLER]);
			const first = await start({ ears: hearing("ears") }, [HEARER]);
			await tell("g", 1, 10);
			await hears("ears", "g", upTo(10));
			await stop(first);
			await tell("g", 11, 700);
			await allSent();
			await start({ ears: hearing("ears") }, [HEARER]);
			await hears("ears", "g", upTo(700));
			const { delivered, num_pending } = await durable();
			assert.equal(num_pending, 0);
			assert.equal(delivered.consumer_seq, 700, "nothing came twice");
		});

		test("has a durable named after its node and itself, which has acknowledged what is in the inbox", async () => {
			await start({ ears: hearing("ears") });
			await tell("g", 1, 5);
			await hears("ears", "g", upTo(5));
			await eventually(async () => assert.equal((await durable()).num_ack_pending, 0));
			assert.equal((await durable()).ack_floor.stream_seq, 5);
		});

		test("that hears one kind of fact is not handed the others", async () => {
			await start({ ears: hearing("ears", { facts: ["groups.member.joined"] }), eyes: hearing("eyes") });
			await tell("g", 1, 5);
			await hears("eyes", "g", upTo(5));
			assert.equal((await durable()).delivered.consumer_seq, 0);
		});

		test("that learns to hear another kind of fact hears those of the past too", async () => {
			const carrier = byHand();
			const old = sourceOf(carrier, ["groups.member.joined"]);
			await tell("g", 1, 5);
			await relayAll(carrier);
			await takeAll(old);
			const taught = sourceOf(carrier, ["groups.member.joined", "groups.message.posted"]);
			await takeAll(taught);
			assert.deepEqual(await inInbox("g"), upTo(5));
			await tell("g", 6);
			await relayAll(carrier);
			await takeAll(old);
			await takeAll(taught);
			assert.deepEqual(await inInbox("g"), upTo(6));
			assert.equal((await durable()).delivered.consumer_seq, 6, "the older version of it left it alone");
		});
	});

	describe("several processes", () => {
		test("two relays and two receivers at once: everything once, in order per aggregate", async () => {
			const consumers = () => ({ ears: hearing("ears"), eyes: hearing("eyes") });
			await Promise.all([start(consumers()), start(consumers())]);
			const groups = ["a", "b", "c"];
			await Promise.all(
				groups.map(async (group) => {
					for (let n = 1; n <= 100; n++) await tell(group, n);
				}),
			);
			for (const group of groups)
				for (const name of ["ears", "eyes"]) {
					await hears(name, group, upTo(100));
					assert.deepEqual(await inInbox(group, name), upTo(100));
				}
			assert.equal((await manager.streams.info(STREAM)).state.messages, 300);
		});

		test("a receiver that dies after the insert and before its commit: the next one takes the same again, and what follows", async () => {
			const carrier = byHand();
			await tell("g", 1, 600);
			await relayAll(carrier);
			let dies = true;
			const source = sourceOf(carrier, undefined, () => {
				if (dies) throw new Error("killed");
			});
			await assert.rejects(source.work(), /killed/);
			assert.equal((await durable()).num_ack_pending, 500, "handed out, and not acknowledged");
			dies = false;
			await tell("g", 601);
			await relayAll(carrier);
			await takeAll(source);
			assert.deepEqual(await inInbox("g"), upTo(601));
		});

		test("a durable that is gone is made again where the inbox is", async () => {
			const carrier = byHand();
			await tell("g", 1, 3);
			await relayAll(carrier);
			const source = sourceOf(carrier);
			await takeAll(source);
			await manager.consumers.delete(STREAM, DURABLE);
			await tell("g", 4);
			await relayAll(carrier);
			await takeAll(source);
			assert.deepEqual(await inInbox("g"), upTo(4));
			assert.equal((await durable()).delivered.consumer_seq, 1, "handed out nothing that was there");
		});

		test("somebody else who takes messages from our durable takes nothing from us", async () => {
			const carrier = byHand();
			const source = sourceOf(carrier);
			await tell("g", 1, 2);
			await relayAll(carrier);
			await takeAll(source);
			await tell("g", 3, 5);
			await relayAll(carrier);
			const thief = await connection.jetstream().consumers.get(STREAM, DURABLE);
			await (await thief.next())?.ackAck();
			await takeAll(source);
			assert.deepEqual(await inInbox("g"), upTo(5));
		});

		test("a relay that dies after publishing and before marking: the next one puts only what is missing", async () => {
			const carrier = byHand();
			await tell("g", 1, 2);
			await relayAll(carrier);
			await tell("g", 3, 5);
			await teller
				.tx(async (tx) => {
					const { rows } = await carrier.next(tx, TELLER, 2);
					assert.equal(await carrier.deliver(tx, TELLER, rows), true);
					throw new Error("killed");
				})
				.catch(() => {});
			await relayAll(byHand());
			await takeAll(sourceOf(carrier));
			assert.deepEqual(await inInbox("g"), upTo(5));
			assert.equal((await manager.streams.info(STREAM)).state.messages, 5);
		});
	});

	describe("NATS", () => {
		test("restarted under load: nothing lost, nothing twice, in order", { timeout: 60_000 }, async () => {
			await Promise.all([start({ ears: hearing("ears") }), start({ ears: hearing("ears") })]);
			const groups = ["a", "b"].map((group) => ({ group, ...telling(group) }));
			for (const signal of ["SIGTERM", "SIGKILL"] as const) {
				await groups[0]?.reached(50);
				await server.restart(signal);
			}
			await groups[0]?.reached(50);
			for (const { group, end } of groups) {
				const told = await end();
				await hears("ears", group, upTo(told), 30_000);
				assert.deepEqual(await inInbox(group), upTo(told));
			}
			await allSent();
		});

		test("away for a while: the outbox keeps what is told, and it goes on by itself", { timeout: 30_000 }, async () => {
			await start({ ears: hearing("ears") });
			await tell("g", 1);
			await hears("ears", "g", [1]);
			await server.stop();
			await tell("g", 2, 50);
			await server.start();
			await hears("ears", "g", upTo(50));
		});

		test("that hangs for a while loses nothing and repeats nothing", { timeout: 60_000 }, async () => {
			await start({ ears: hearing("ears") });
			const { reached, end } = telling("g");
			await reached(50);
			const [relay] = running;
			assert.ok(relay);
			const noticed = Promise.withResolvers<void>();
			natsOf(relay)?.onDisconnect(noticed.resolve);
			server.pause();
			await tell("h", 1, 20);
			await noticed.promise;
			server.resume();
			const told = await end();
			await hears("ears", "g", upTo(told), 30_000);
			await hears("ears", "h", upTo(20), 30_000);
			assert.deepEqual(await inInbox("g"), upTo(told));
			await allSent();
		});

		test("wiped under load: the stream is filled again from the outbox", { timeout: 60_000 }, async () => {
			await start({ ears: hearing("ears") });
			const { reached, end } = telling("g");
			await reached(50);
			await server.wipe();
			await reached(50);
			const told = await end();
			await hears("ears", "g", upTo(told), 30_000);
			await eventually(async () => assert.equal((await manager.streams.info(STREAM)).state.messages, told), 20_000);
			assert.deepEqual(await inInbox("g"), upTo(told));
		});

		test("wiped while a consumer was away: it hears what it had not heard before", { timeout: 30_000 }, async () => {
			await start({}, [TELLER]);
			const first = await start({ ears: hearing("ears") }, [HEARER]);
			await tell("g", 1, 5);
			await hears("ears", "g", upTo(5));
			await stop(first);
			await tell("g", 6, 1_300);
			await allSent();
			await server.wipe();
			await start({ ears: hearing("ears") }, [HEARER]);
			await hears("ears", "g", upTo(1_300), 20_000);
			assert.deepEqual(await inInbox("g"), upTo(1_300));
		});

		test("that lost the end of a stream is noticed before anything is put there, and filled again", async () => {
			await tell("g", 1, 10);
			await relayAll(byHand());
			// What the disk had of it when the power went: the same stream, eight messages long.
			await emptyServer();
			const { created } = await manager.streams.add({ name: STREAM, subjects: ["reloop.facts.groups.>"] });
			await teller.query("update carrier_told set created = $1", [String(created)]);
			for (let n = 1; n <= 8; n++) await connection.jetstream().publish("reloop.facts.groups.member.left", "{}");
			await tell("g", 11, 12);
			const carrier = byHand();
			await relayAll(carrier);
			await takeAll(sourceOf(carrier));
			assert.deepEqual(await inInbox("g"), upTo(12));
			assert.equal((await manager.streams.info(STREAM)).state.messages, 12);
		});

		test("that lost facts in the middle or at the head of a stream is noticed with the next connection", async () => {
			const carrier = byHand();
			await tell("g", 1, 10);
			await relayAll(carrier);
			await takeAll(sourceOf(carrier));
			for (const lose of [() => manager.streams.deleteMessage(STREAM, 5), () => manager.streams.purge(STREAM, { seq: 12 })]) {
				await lose();
				await hearer.query("truncate inbox, carrier_heard");
				const next = byHand();
				await relayAll(next);
				await takeAll(sourceOf(next));
				assert.deepEqual(await inInbox("g"), upTo(10));
			}
		});

		test("whose stream was removed by an operator gets it back, with what was in it", async () => {
			const carrier = byHand();
			await tell("g", 1, 5);
			await relayAll(carrier);
			await manager.streams.delete(STREAM);
			const source = sourceOf(carrier);
			await takeAll(source);
			await tell("g", 6);
			await relayAll(carrier);
			await takeAll(source);
			assert.deepEqual(await inInbox("g"), upTo(6));
		});

		test("while a stream is filled again nothing new overtakes what is old", async () => {
			const carrier = byHand();
			await tell("g", 1, 700);
			await relayAll(carrier);
			await manager.streams.delete(STREAM);
			await tell("g", 701, 702);
			const source = sourceOf(carrier);
			await assert.rejects(relayOnce(teller, TELLER, carrier));
			await relayAll(carrier);
			await takeAll(source);
			assert.deepEqual(await inInbox("g"), upTo(702));
		});
	});

	describe("PostgreSQL", () => {
		test("of a hearing node that forgot its last inserts is given them again", async () => {
			const carrier = byHand();
			await tell("g", 1, 5);
			await relayAll(carrier);
			const source = sourceOf(carrier);
			await takeAll(source);
			// As it is when it was killed before its disk had them, or put back from a copy: inbox and mark go together.
			await hearer.query("delete from inbox where (payload ->> 'seq')::int > 2");
			await hearer.query("update carrier_heard set last_seq = 2, deliveries = 2");
			await takeAll(source);
			assert.deepEqual(await inInbox("g"), upTo(5));
		});
	});
});
