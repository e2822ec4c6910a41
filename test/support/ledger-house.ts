// The gamification node on its real database: what its tests are told with.
import { randomUUID } from "node:crypto";
import { after, beforeEach } from "node:test";
import { ServiceBroker } from "moleculer";
import { contracts } from "../../config/broker/contracts.ts";
import type { ActionName, Answer, AnyFact, ParamsIn } from "../../services/contracts/index.ts";
import { receive, workInbox } from "../../mixins/facts/inbox.ts";
import { callAction } from "../../mixins/call.ts";
import { database } from "../../mixins/postgres.ts";
import { sealsFor } from "../../mixins/principal.ts";
import { problem } from "../../services/contracts/errors.ts";
import { awards } from "../../services/gamification/awards.ts";
import service from "../../services/gamification/gamification.service.ts";
import { testDatabase } from "./database.ts";

export const idle = new ServiceBroker({ logger: false });
const seals = sealsFor(Buffer.alloc(32, 1).toString("base64"));

/** A message of `senderId`, told at `at`. */
export function posted(senderId: string, at = "2026-03-01T10:00:00.000Z", messageId: string = randomUUID()): AnyFact {
	const groupId = randomUUID();
	return {
		id: randomUUID(),
		type: "groups.message.posted",
		version: 1,
		at,
		aggregate: groupId,
		requestId: `request of ${messageId}`,
		actor: senderId,
		payload: { groupId, seq: 1, messageId, senderId, kind: "text", content: "Hello" },
	};
}

export const messages = (count: number, senderId: string, at?: string): AnyFact[] =>
	Array.from({ length: count }, () => posted(senderId, at));

/** The node's database, for a whole file; each test begins with nothing heard and nothing told. */
export async function ledgerHouse() {
	const fresh = await testDatabase(["groups", "gamification"]);
	const db = database("gamification");
	beforeEach(() => db.query("truncate inbox, outbox"));
	after(() => fresh.close());

	/** Facts arrive and are worked off; answers how many failed. */
	async function hear(facts: AnyFact[]): Promise<number> {
		let failed = 0;
		await receive(db, { "gamification-awards": awards }, facts);
		for (let next: number | null = 0; next === 0; ) {
			next = await workInbox(db, "gamification-awards", awards, idle, (_fact, error) => {
				failed++;
				throw error;
			});
		}
		return failed;
	}

	/** What the node has told, oldest first. */
	const told = () =>
		db.query<{ type: string; aggregate: string; requestId: string; actor: string; payload: Record<string, unknown> }>(
			'select type, aggregate, request_id as "requestId", actor, payload from outbox order by id',
		);

	async function balance(profileId: string): Promise<number> {
		const [row] = await db.query<{ balance: number }>("select balance from accounts where owner = $1 and currency = 'xp'", [profileId]);
		return row?.balance ?? 0;
	}

	return { db, hear, told, balance };
}

/** The node with its actions, as `profileId` sees it. Its neighbour is asked whether a profile exists. */
export async function withNode(
	work: (ask: <A extends ActionName>(profileId: string, action: A, params: ParamsIn<A>) => Promise<Answer<A>>) => Promise<void>,
	nobody = randomUUID(),
): Promise<void> {
	const broker = new ServiceBroker({
		logger: false,
		validator: false,
		middlewares: [contracts({ checkAnswers: true, seals })],
		skipProcessEventRegistration: true,
	});
	broker.createService(service);
	broker.createService({
		name: "profiles",
		actions: {
			show: {
				visibility: "protected",
				handler: (ctx: { params: { profileId: string } }) => {
					if (ctx.params.profileId === nobody) throw problem("not-found");
					return { id: ctx.params.profileId, displayName: "Somebody", kind: "personal" };
				},
			},
		},
	});
	await broker.start();
	try {
		const until = Date.now() / 1000 + 600;
		await work((profileId, action, params) => {
			const ada = { accountId: randomUUID(), profileId, displayName: "Ada", sessionId: randomUUID(), roles: [], scopes: [] };
			return callAction(broker, action, params, { meta: { principal: seals.seal(ada, until) } });
		});
	} finally {
		await broker.stop();
	}
}
