// The middleware that makes contracts hold, on real brokers: in one process, and between two over Moleculer's own
// in-memory transporter.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { BrokerOptions, Context, ServiceSchema } from "moleculer";
import { ServiceBroker } from "moleculer";
import { contracts } from "../../config/broker/contracts.ts";
import { sealsFor } from "../../mixins/principal.ts";
import { callAction } from "../../mixins/call.ts";
import { defineService } from "../../mixins/moleculer.ts";
import { implement } from "../../mixins/service.ts";
import { isProblem } from "../../services/contracts/errors.ts";
import type { Ctx, Meta, Principal } from "../../services/contracts/index.ts";

const groupId = "0199c0de-0000-7000-8000-000000000001";
const profileId = "0199c0de-0000-7000-8000-000000000002";
const seals = sealsFor(Buffer.alloc(32, 1).toString("base64"));
const ann = { accountId: profileId, profileId, displayName: "Ann", sessionId: groupId, roles: ["user"], scopes: [] };
const principal: Principal = seals.seal(ann, Date.now() / 1000 + 600);
const at = "2026-01-31T12:00:00.000Z";
const entry = { id: groupId, currency: "xp", amount: 1, reason: "r", source: "s", at } as const;
const health = async () => ({ status: "ok" as const });

/** What the last handler saw. */
let seen: Ctx | undefined;
let answers: Record<string, unknown> = {};
let during: ((ctx: Ctx) => unknown) | undefined;

const gamification = defineService({
	name: "gamification",
	actions: implement("gamification", {
		health,
		exportOf: async () => ({ section: "wallets", rows: [], next: null }),
		async myPoints(ctx) {
			seen = ctx;
			await during?.(ctx);
			return { xp: 1, level: 0, points: 0, coins: 0, ...answers };
		},
		async pointsOf(ctx) {
			seen = ctx;
			return { xp: 0, level: 0 };
		},
		async transactions(ctx) {
			seen = ctx;
			return { data: [entry], nextCursor: null };
		},
		rules: async () => ({ data: [], nextCursor: null }),
		checkLedgers: async () => ({ ok: true, ledgers: [] }),
	}),
});

/** An action that tries what it can with Moleculer's own context. */
const hostile: ServiceSchema = {
	name: "hostile",
	actions: {
		meta: {
			visibility: "public",
			handler(ctx: Context<unknown, Record<string, unknown>>) {
				let refusal: unknown;
				try {
					ctx.meta.principal = { ...principal, displayName: "Eve" };
				} catch (error) {
					refusal = error;
				}
				Object.assign(ctx.meta, {
					$statusCode: 500,
					$responseHeaders: { "Set-Cookie": "x" },
					requestId: "forged",
					address: "forged",
					idempotency: { key: "x", scope: "x", hash: "x" },
				});
				ctx.meta.$replyReplayed = "yes";
				return refusal instanceof TypeError;
			},
		},
		replace: {
			visibility: "public",
			handler(ctx: Context<unknown, Record<string, unknown>>) {
				(ctx as { meta: unknown }).meta = { principal: { ...principal, displayName: "Eve" }, $statusCode: 500 };
				throw new Error("and then it fails");
			},
		},
	},
};

const options = (nodeID: string, transporter?: "Fake"): BrokerOptions => ({
	nodeID,
	logger: false,
	validator: false,
	transporter: transporter ?? null,
	middlewares: [contracts({ checkAnswers: true, seals })],
});
const broker = new ServiceBroker(options("alone"));
before(async () => {
	broker.createService(gamification);
	broker.createService(hostile);
	await broker.start();
});
after(() => broker.stop());

const meta: Meta = { principal, requestId: "r-1", address: "192.0.2.1", userAgent: "test" };

test("a handler gets checked params, with defaults filled in", async () => {
	await callAction(broker, "gamification.transactions", {}, { meta });
	assert.deepEqual(seen?.params, { limit: 20 });
	await callAction(broker, "gamification.pointsOf", { profileId: profileId.toUpperCase() }, { meta });
	assert.deepEqual(seen?.params, { profileId });
});

test("params that are not what the contract says are a validation problem, and the handler is not run", async () => {
	seen = undefined;
	await assert.rejects(broker.call("gamification.pointsOf", { profileId: "x", more: 1 }), (error) => {
		assert.ok(isProblem(error, "validation"));
		assert.deepEqual(
			error.data.errors?.map(({ path, code }) => [path, code]),
			[
				["profileId", "format"],
				["more", "unknown"],
			],
		);
		return true;
	});
	assert.equal(seen, undefined);
});

test("the caller's own params are left as they were", async () => {
	const params = Object.freeze({ profileId: profileId.toUpperCase() });
	await callAction(broker, "gamification.pointsOf", params, { meta });
	assert.deepEqual(params, { profileId: profileId.toUpperCase() });
});

test("a handler knows who calls, from where, and in which request", async () => {
	await callAction(broker, "gamification.myPoints", {}, { meta });
	assert.deepEqual(seen?.caller, principal);
	assert.deepEqual([seen?.requestId, seen?.address, seen?.userAgent, seen?.idempotency], ["r-1", "192.0.2.1", "test", undefined]);
});

test("without a signed-in caller, asking for one is a 401 problem", async () => {
	await callAction(broker, "gamification.myPoints", {});
	assert.throws(
		() => seen?.caller,
		(error) => isProblem(error, "unauthenticated"),
	);
	assert.deepEqual([seen?.address, seen?.userAgent], ["", ""]);
	assert.ok(seen?.requestId);
});

test("an answer that is not what the contract says fails, with the action and the place", async () => {
	answers = { level: -1, balance: 3 };
	await assert.rejects(
		callAction(broker, "gamification.myPoints", {}, { meta }),
		/The answer of gamification\.myPoints .*level must be at least 0; balance is not a known field/,
	);
	answers = {};
});

test("answers are not looked at where it is not asked", async () => {
	const quick = new ServiceBroker({ ...options("quick"), middlewares: [contracts({ checkAnswers: false, seals })] });
	quick.createService(gamification);
	await quick.start();
	answers = { level: -1 };
	const answer = await callAction(quick, "gamification.myPoints", {}, { meta });
	assert.equal(answer.level, -1);
	answers = {};
	await quick.stop();
});

test("the principal is frozen, and is what the door has sealed, whatever is written beside the seal", async () => {
	const written = { ...principal, displayName: "Eve", roles: ["admin"], scopes: ["ops:read"] };
	await callAction(broker, "gamification.myPoints", {}, { meta: { ...meta, principal: written } });
	assert.deepEqual(seen?.caller, principal);
	const caller = seen?.caller as unknown as { displayName: string; roles: string[] };
	assert.throws(() => (caller.displayName = "Eve"), TypeError);
	assert.throws(() => caller.roles.push("admin"), TypeError);
	assert.throws(() => ((seen?.meta as { principal: unknown }).principal = null), TypeError);
});

test("a principal that no door has sealed is nobody, in this process and from another one", async () => {
	const mac = principal.seal?.mac as string;
	const forged: Principal[] = [
		ann,
		{ ...ann, seal: { until: Date.now() / 1000 + 600, mac: "x" } },
		{ ...ann, roles: ["admin"], seal: { until: (principal.seal?.until as number) + 1, mac: mac.replace(/.$/, "_") } },
		sealsFor(Buffer.alloc(32, 2).toString("base64")).seal(ann, Date.now() / 1000 + 600),
		seals.seal(ann, Date.now() / 1000 - 3_600),
	];
	for (const principal of forged) {
		seen = undefined;
		await assert.rejects(callAction(broker, "gamification.myPoints", {}, { meta: { ...meta, principal } }), (error) =>
			isProblem(error, "unauthenticated"),
		);
		assert.equal(seen, undefined, "the handler has run");
	}
});

test("how well somebody proved who they are is sealed too: nobody can add or better it, and a door of the version before leaves it out", () => {
	const until = Date.now() / 1000 + 600;
	const elsewhere = () => sealsFor(Buffer.alloc(32, 3).toString("base64"));
	const { seal, admit } = elsewhere();
	const strong = structuredClone(seal({ ...ann, authTime: 1_700_000_000, acr: "1" }, until));
	assert.deepEqual([admit(strong).authTime, admit(strong).acr], [1_700_000_000, "1"]);
	const refused = (principal: Principal) =>
		assert.throws(
			() => admit(principal),
			(error) => isProblem(error, "unauthenticated"),
		);
	const other = seal({ ...ann, accountId: groupId, authTime: 1_700_000_000, acr: "1" }, until);
	refused({ ...strong, seal: { ...(strong.seal as NonNullable<Principal["seal"]>), strength: other.seal?.strength as string } });
	refused({ ...strong, seal: { ...(strong.seal as NonNullable<Principal["seal"]>), strength: "x" } });
	// What is written beside a seal that is known counts for nothing; beside one that is not, it does not fit.
	assert.equal(admit({ ...strong, acr: "2" }).acr, "1");
	const fresh = structuredClone(seal({ ...ann, sessionId: profileId, authTime: 1, acr: "1" }, until + 1));
	const { strength: _, ...older } = fresh.seal as NonNullable<Principal["seal"]>;
	assert.equal(admit({ ...fresh, authTime: 9, acr: "2", seal: older }).authTime, undefined);
});

test("a called action changes neither its caller's identity nor the status of the answer", async () => {
	during = async (ctx) => {
		const inner = ctx as unknown as { call(name: string, params: object): Promise<unknown> };
		assert.equal(await inner.call("hostile.meta", {}), true, "writing the principal must throw");
		await assert.rejects(inner.call("hostile.replace", {}));
		assert.deepEqual({ ...ctx.meta }, meta);
	};
	await callAction(broker, "gamification.myPoints", {}, { meta });
	during = undefined;
});

test("a called action does not change the meta that was given to the broker", async () => {
	const given = { ...meta };
	await broker.call("hostile.meta", {}, { meta: given });
	await assert.rejects(broker.call("hostile.replace", {}, { meta: given }));
	assert.deepEqual(given, meta);
});

test("of a call's meta nothing comes back but that the answer is an older one", async () => {
	during = (ctx) => (ctx.meta.$replyReplayed = true);
	const call = broker.call("gamification.myPoints", {}, { meta }) as Promise<unknown> & { ctx: Context };
	await call;
	during = undefined;
	assert.deepEqual(call.ctx.meta, { $replyReplayed: true });
	const hostileCall = broker.call("hostile.meta", {}, { meta }) as Promise<unknown> & { ctx: Context };
	await hostileCall;
	assert.deepEqual(hostileCall.ctx.meta, {});
});

test("a caller travels on to what is called, an Idempotency-Key does not", async () => {
	let inner: Ctx | undefined;
	during = async (ctx) => {
		assert.equal(ctx.idempotency?.key, "k");
		await ctx.call("gamification.pointsOf", { profileId });
		inner = seen;
	};
	const asked = callAction(broker, "gamification.myPoints", {}, { meta: { ...meta, idempotency: { key: "k", scope: "s", hash: "h" } } });
	// Here nobody keeps the answer (contracts-kept.test.ts).
	await assert.rejects(asked, /keeps no answer/);
	during = undefined;
	assert.deepEqual(inner?.caller, principal);
	assert.deepEqual([inner?.requestId, inner?.idempotency], ["r-1", undefined]);
});

test("only what its contract publishes is published", () => {
	const { actions } = gamification as { actions: Record<string, { visibility: string }> };
	assert.deepEqual([actions.myPoints?.visibility, actions.checkLedgers?.visibility], ["published", "public"]);
});

test("a service whose actions are not those of the contract stops the start", () => {
	const fresh = new ServiceBroker(options("fresh"));
	assert.throws(() => fresh.createService({ name: "other", actions: { open: () => 1 } }), /other\.open has no contract/);
	assert.throws(() => fresh.createService({ ...gamification, name: "elsewhere" }), /bound to the contract/);
	assert.throws(
		() => implement("gamification", { health, exportOf: health } as never),
		/There is a contract for gamification\.myPoints, but no handler/,
	);
	assert.throws(
		() =>
			implement("gamification", {
				...Object.fromEntries(
					["health", "exportOf", "myPoints", "pointsOf", "transactions", "rules", "checkLedgers"].map((name) => [name, health]),
				),
				more: health,
			} as never),
		/There is a handler for gamification\.more, but no contract/,
	);
});

test("between two processes identity holds too: it arrives frozen, and does not come back changed", async () => {
	const near = new ServiceBroker(options("near", "Fake"));
	const far = new ServiceBroker(options("far", "Fake"));
	far.createService(gamification);
	far.createService(hostile);
	await Promise.all([near.start(), far.start()]);
	try {
		await near.waitForServices(["gamification", "hostile"]);
		const given = { ...meta };
		await callAction(near, "gamification.myPoints", {}, { meta: given });
		assert.deepEqual(seen?.caller, principal);
		assert.ok(Object.isFrozen(seen?.caller) && Object.isFrozen(seen?.caller.roles));
		assert.equal(seen?.requestId, "r-1");
		assert.equal(await near.call("hostile.meta", {}, { meta: given }), true);
		await assert.rejects(near.call("hostile.replace", {}, { meta: given }));
		assert.deepEqual(given, meta);
		await assert.rejects(
			near.call("gamification.pointsOf", { profileId: "x" }),
			(error) => isProblem(error, "validation") && error.data.errors?.[0]?.path === "profileId",
		);
	} finally {
		await Promise.all([near.stop(), far.stop()]);
	}
});
