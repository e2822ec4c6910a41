// The presence node alone, with a door that says what a test has it say.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ServiceBroker } from "moleculer";
import type { Context, ServiceSchema } from "moleculer";
import type { Params } from "../../services/contracts/index.ts";
import { readEnv } from "../../config/env.ts";
import { callAction } from "../../mixins/call.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { brokerOptions } from "../../moleculer.config.ts";
import { problem } from "../../services/contracts/errors.ts";
import type { PresenceChanged, PresenceEntry } from "../../services/contracts/presence.ts";
import { LARGE_GROUP } from "../../services/contracts/presence.ts";
import { presenceNode } from "../../services/presence/node.ts";
import notifications from "../../services/presence/notifications.service.ts";
import presence from "../../services/presence/presence.service.ts";
import { TEST_SECRET_KEY } from "./database.ts";
import { sealedPrincipal } from "./principal.ts";

/** What another node answers, by its contracts. */
const neighbour = (name: string, actions: Record<string, (params: never) => unknown>): ServiceSchema => ({
	name,
	actions: Object.fromEntries(
		Object.entries(actions).map(([method, answer]) => [
			method,
			{ visibility: "public", contract: `${name}.${method}`, handler: (ctx: Context) => answer(ctx.params as never) },
		]),
	),
});

/** A process with the presence node on the database of this test. */
export async function presenceHouse(environment: Record<string, string> = {}) {
	const env = readEnv({ NODE_ENV: "test", DATA_DIR: "/nonexistent", SECRET_KEY: TEST_SECRET_KEY, LOG_LEVEL: "fatal", ...environment });
	const broker = new ServiceBroker(brokerOptions(env));
	provideSettings(broker, env);
	const signals: PresenceChanged[] = [];
	/** What the neighbour says: the members of groups; how many it was asked for each time. */
	const groups = new Map<string, string[]>();
	const asked: number[] = [];
	/** From whom profiles are apart, as the neighbour says it when it is there. */
	const blocks = { apart: new Map<string, string[]>(), away: false };
	for (const schema of [presence, notifications]) broker.createService(schema);
	broker.createService(
		neighbour("groups", {
			memberIds({ groupId }: Params<"groups.memberIds">) {
				const members = groups.get(groupId);
				if (!members) throw problem("not-found");
				return { profileIds: members.slice(0, LARGE_GROUP), memberCount: members.length };
			},
			membersAmong({ groupId, profileIds }: Params<"groups.membersAmong">) {
				const members = new Set<string>(groups.get(groupId));
				asked.push(profileIds.length);
				return { profileIds: profileIds.filter((id) => members.has(id)) };
			},
		}),
	);
	broker.createService(
		neighbour("blocks", {
			apart({ profileIds }: Params<"blocks.apart">) {
				if (blocks.away) throw problem("unavailable");
				return { apart: profileIds.map((id) => blocks.apart.get(id) ?? []) };
			},
		}),
	);
	broker.createService({
		name: "door",
		events: { "presence.changed": { handler: ({ params }: { params: PresenceChanged }) => void signals.push(params) } },
	});
	await broker.start();

	const as = (profileId: string) => ({
		meta: {
			principal: sealedPrincipal(broker, {
				accountId: profileId,
				profileId,
				displayName: "Ana",
				sessionId: profileId,
				roles: [],
				scopes: [],
			}),
		},
	});
	const lookup = async (...ids: string[]): Promise<PresenceEntry[]> => (await callAction(broker, "presence.states", { ids })).data;
	return {
		broker,
		signals,
		groups,
		asked,
		blocks,
		as,
		/** The group's presence, as one of its members sees it. */
		group: (groupId: string, profileId: string) => callAction(broker, "presence.group", { groupId }, as(profileId)),
		/** How profiles are, whoever looks. */
		lookup,
		/** How one of them sees others. */
		lookupAs: async (profileId: string, ...ids: string[]): Promise<PresenceEntry[]> =>
			(await callAction(broker, "presence.lookup", { ids }, as(profileId))).data,
		statusOf: async (id: string) => (await lookup(id))[0]?.status,
		set: (connectionId: string, profileId: string, status: "online" | "away" | "hidden") =>
			callAction(broker, "presence.set", { connectionId, status }, as(profileId)),
		focus: (connectionId: string, profileId: string, room: string | null) =>
			callAction(broker, "presence.focus", { connectionId, room }, as(profileId)),
		looking: (...pairs: { profileId: string; room: string }[]) => presenceNode(broker).book.looking(pairs),
		changesOf: (id: string) => signals.flatMap(({ profiles }) => profiles.filter(({ profileId }) => profileId === id)),
		stop: () => broker.stop(),
	};
}
export type PresenceHouse = Awaited<ReturnType<typeof presenceHouse>>;

/** A door that reports to the given processes in turn. `begins`: it has said hello. */
export async function testDoor(houses: () => readonly PresenceHouse[], { begins = true, nodeId = `door-${randomUUID()}` } = {}) {
	const instance = `${nodeId}|1`;
	const sockets = new Map<string, string>();
	/** What is looked at on them. */
	const looks = new Map<string, string>();
	let no = 0;
	const report = ({ begin = false, opened = [], closed = [], number = ++no }: Partial<Report> = {}) => {
		const all = houses();
		const { broker } = all[number % all.length] as PresenceHouse;
		return callAction(broker, "presence.report", { instance, no: number, begin, count: sockets.size, opened, closed });
	};
	const door = {
		instance,
		nodeId,
		sockets,
		looks,
		report,
		/** A socket opens; answers its name. */
		async open(profileId: string): Promise<string> {
			const connectionId = `${instance}|${randomUUID().slice(0, 8)}`;
			sockets.set(connectionId, profileId);
			assert.equal((await report({ opened: [{ connectionId, profileId }] })).known, true);
			return connectionId;
		},
		async close(connectionId: string): Promise<void> {
			sockets.delete(connectionId);
			assert.equal((await report({ closed: [connectionId] })).known, true);
		},
		/** Says everything again. */
		begin: () =>
			report({
				begin: true,
				opened: [...sockets].map(([connectionId, profileId]) => {
					const room = looks.get(connectionId);
					return { connectionId, profileId, ...(room === undefined ? {} : { looks: room }) };
				}),
			}),
	};
	if (begins) await door.begin();
	return door;
}
interface Report {
	begin: boolean;
	opened: { connectionId: string; profileId: string; looks?: string }[];
	closed: string[];
	number: number;
}
