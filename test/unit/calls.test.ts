// Which process a call goes to, and what happens when that one does not answer: brokers on Moleculer's in-memory transporter.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { BrokerOptions, Context } from "moleculer";
import { ServiceBroker } from "moleculer";
import { calls } from "../../config/broker/calls.ts";
import { inOrder } from "../../mixins/owners.ts";
import { eventually } from "../support/eventually.ts";

const ATTEMPT = 150;
type Answer = (ctx: Context) => unknown;

describe("a call between processes", () => {
	let caller: ServiceBroker;
	let nodes: Map<string, ServiceBroker>;
	let asked: string[];
	let answers: Map<string, Answer>;

	const options = (nodeID: string): BrokerOptions => ({
		nodeID,
		logger: false,
		transporter: "Fake",
		namespace: `calls-${process.pid}`,
		disableBalancer: true,
		validator: false,
		registry: { stopDelay: 0 },
		transit: { serviceChangedDebounceTime: 0 } as NonNullable<BrokerOptions["transit"]>,
		middlewares: [calls({ attemptMs: ATTEMPT })],
	});

	/** A process that runs `messages.post` (owner: groupId, repeatable), `messages.edit` (owner, not repeatable) and `auth.logout` (neither). */
	async function join(nodeID: string): Promise<void> {
		const broker = new ServiceBroker(options(nodeID));
		const handler = (ctx: Context) => {
			asked.push(nodeID);
			return (answers.get(nodeID) ?? (() => nodeID))(ctx);
		};
		broker.createService({ name: "messages", actions: { post: handler, edit: handler } });
		broker.createService({ name: "auth", actions: { logout: handler } });
		await broker.start();
		nodes.set(nodeID, broker);
	}

	beforeEach(async () => {
		[nodes, asked, answers] = [new Map(), [], new Map()];
		caller = new ServiceBroker(options("caller"));
		await caller.start();
		await Promise.all(["one", "two", "three"].map(join));
		await eventually(() =>
			assert.equal(caller.registry.getServiceList({ onlyAvailable: true }).filter(({ name }) => name === "messages").length, 3),
		);
	});
	afterEach(() => Promise.all([caller, ...nodes.values()].map((broker) => broker.stop())));

	const never = () => new Promise(() => {});

	test("with an actor's key goes to the owner, whoever calls", async () => {
		for (let n = 0; n < 20; n++) {
			const groupId = randomUUID();
			const [owner] = inOrder(["one", "two", "three"], groupId);
			assert.equal(await caller.call("messages.post", { groupId }), owner);
			assert.equal(await nodes.get("two")?.call("messages.edit", { groupId }), owner);
		}
		assert.deepEqual([...new Set(asked)].sort(), ["one", "three", "two"], "every process owns some");
	});

	test("is asked of the next where the owner is silent, if asking twice does no harm", async () => {
		const groupId = randomUUID();
		const [owner = "", deputy] = inOrder(["one", "two", "three"], groupId);
		answers.set(owner, never);
		assert.equal(await caller.call("messages.post", { groupId }, { timeout: 3_000 }), deputy);
		assert.deepEqual(asked, [owner, deputy]);
	});

	test("is asked once and no more where it may do harm, and fails when its time is over", async () => {
		const groupId = randomUUID();
		const [owner = ""] = inOrder(["one", "two", "three"], groupId);
		answers.set(owner, never);
		await assert.rejects(caller.call("messages.edit", { groupId }, { timeout: 3 * ATTEMPT }), { type: "REQUEST_TIMEOUT" });
		assert.deepEqual(asked, [owner]);
	});

	test("is asked of the next where an Idempotency-Key makes it harmless", async () => {
		const groupId = randomUUID();
		const [owner = "", deputy] = inOrder(["one", "two", "three"], groupId);
		answers.set(owner, never);
		const meta = { idempotency: { key: "k", scope: "s", hash: "h" } };
		assert.equal(await caller.call("messages.edit", { groupId }, { timeout: 3_000, meta }), deputy);
	});

	test("is never asked beyond the caller's deadline", async () => {
		for (const node of nodes.keys()) answers.set(node, never);
		await assert.rejects(caller.call("messages.post", { groupId: randomUUID() }, { timeout: 2.5 * ATTEMPT }), { type: "REQUEST_TIMEOUT" });
		// Without an end to it, they would be asked in rounds.
		assert.ok(asked.length >= 1 && asked.length <= 3, `${asked.length} were asked`);
	});

	test("what nobody has begun is asked of another, harmless or not", async () => {
		const groupId = randomUUID();
		const [owner = "", deputy] = inOrder(["one", "two", "three"], groupId);
		const local = nodes.get(owner)?.getLocalService("messages");
		assert.ok(local);
		// Gone, and the caller has not heard of it yet.
		answers.set(owner, () => {
			throw Object.assign(new Error("gone"), { type: "SERVICE_NOT_AVAILABLE", code: 404, data: { action: "messages.edit" } });
		});
		assert.equal(await caller.call("messages.edit", { groupId }), deputy);
	});

	test("an error of what the callee asked others is the callee's answer", async () => {
		const groupId = randomUUID();
		const [owner = ""] = inOrder(["one", "two", "three"], groupId);
		answers.set(owner, (ctx) => ctx.call("nobody.there"));
		await assert.rejects(caller.call("messages.post", { groupId }), { type: "SERVICE_NOT_FOUND" });
		assert.deepEqual(asked, [owner]);
	});

	test("what this process runs itself is not sent over the wire", async () => {
		const two = nodes.get("two") as ServiceBroker;
		assert.equal(await two.call("auth.logout", {}), "two");
		assert.equal(two.transit?.pendingRequests.size, 0);
		for (let n = 0; n < 10; n++) assert.equal(await two.call("auth.logout", {}), "two");
	});

	test("to a service that is not there fails at once", async () => {
		// Longer than the test's own patience, where it waited for somebody to come.
		await assert.rejects(caller.call("presence.lookup", { ids: [] }, { timeout: 3_600_000 }), { type: "SERVICE_NOT_FOUND" });
	});
});

test("the order of processes is the same for everybody, and one that comes or goes moves no key between the others", () => {
	const nodes = ["a", "b", "c", "d"];
	const keys = Array.from({ length: 2_000 }, () => randomUUID());
	const owners = new Map(keys.map((key) => [key, inOrder(nodes, key)[0]]));
	for (const node of nodes) {
		const share = [...owners.values()].filter((owner) => owner === node).length;
		assert.ok(share > 350 && share < 650, `${node} owns ${share} of 2000`);
	}
	for (const key of keys) {
		assert.equal(inOrder([...nodes].reverse(), key)[0], owners.get(key));
		const without = inOrder(["a", "b", "c"], key)[0];
		if (owners.get(key) !== "d") assert.equal(without, owners.get(key));
	}
});
