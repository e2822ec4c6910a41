// Who is here. Doors report their sockets; who follows whom is theirs: they hear `presence.changed`, a signal.
import { eachFact, isTool, service } from "../../mixins/node.ts";
import type { Context, ServiceBroker } from "moleculer";
import { isProblem, problem } from "../contracts/errors.ts";
import type { PresenceEntry } from "../contracts/presence.ts";
import { seenApart } from "./book/apart.ts";
import { presenceWork } from "./broadcast/work.ts";
import { presenceOf } from "./book/census.ts";
import { presenceJobs } from "./jobs.ts";
import type { PresenceNode } from "./node.ts";
import { presenceNode } from "./node.ts";
import { endings, notices } from "./notify/notices.ts";
import { notifications } from "./notify/consumer.ts";
import { persons } from "./persons.ts";
import { dropSession } from "./store/devices.ts";
import { learnedTo } from "./store/people.ts";

/** Whether those hide of whom nothing is known here; `unclear` while the store does not say: they must not be shown before. */
async function whoHides(broker: ServiceBroker, profileIds: string[]): Promise<{ hidden: Set<string>; unclear: Set<string> }> {
	const { book, remembered } = presenceNode(broker);
	const strangers = await book.strangers(profileIds);
	if (strangers.length === 0) return { hidden: new Set(), unclear: new Set() };
	try {
		const known = await remembered(strangers);
		return { hidden: new Set(strangers.filter((id) => known.get(id)?.hidden)), unclear: new Set() };
	} catch (error) {
		broker.logger.debug("Who hides could not be read.", { error: String(error) });
		return { hidden: new Set(), unclear: new Set(strangers) };
	}
}

/** How others see these profiles, in the order asked. */
async function look({ book, remembered }: PresenceNode, ids: readonly string[]): Promise<PresenceEntry[]> {
	let here: Map<string, PresenceEntry>;
	try {
		here = await book.look(ids);
	} catch (error) {
		if (!isProblem(error, "unavailable")) throw error;
		return ids.map((profileId) => ({ profileId, status: "unknown", lastSeen: null }));
	}
	const away = ids.filter((id) => !here.has(id));
	const seen = away.length > 0 ? await remembered(away) : new Map<string, never>();
	return ids.map((profileId) => {
		const row = seen.get(profileId);
		return here.get(profileId) ?? { profileId, status: "offline", lastSeen: row && !row.hidden ? row.lastSeen : null };
	});
}

export default service("presence", {
	node: presenceNode,
	consumers: {
		notices,
		notifications,
		"presence-endings": endings,
		// Who has signed out is not pushed to.
		"presence-devices": eachFact({ "identity.session.revoked": ({ payload }, tx) => dropSession(tx, payload.sessionId) }),
	},
	jobs: presenceJobs,
	person: persons,

	actions: {
		job: presenceWork.show,

		async report(ctx, { book, stir }) {
			const { opened, closed } = ctx.params;
			const { hidden, unclear } = await whoHides(ctx.broker, [...new Set(opened.map(({ profileId }) => profileId))]);
			// Left out, they make the count wrong: the door will say all of it again.
			const heard = await book.report({ ...ctx.params, opened: opened.filter(({ profileId }) => !unclear.has(profileId)) }, hidden);
			if (opened.length + closed.length > 0) stir();
			return heard;
		},

		async set(ctx, { book, stir }) {
			if (!(await book.set(ctx.params.connectionId, ctx.caller.profileId, ctx.params.status))) throw problem("not-found");
			stir();
			return {};
		},

		async focus(ctx, { book }) {
			const { connectionId, room } = ctx.params;
			if (!(await book.focus(connectionId, ctx.caller.profileId, room))) throw problem("not-found");
			return {};
		},

		async lookup(ctx, node) {
			const [entries, apart] = await Promise.all([look(node, ctx.params.ids), node.apartFrom(ctx.caller.profileId)]);
			return { data: seenApart(entries, apart) };
		},

		async states(ctx, node) {
			return { data: await look(node, ctx.params.ids) };
		},

		async group(ctx, node) {
			return presenceOf(ctx, ctx.params.groupId, { book: node.book, look: (ids) => look(node, ids), apartFrom: node.apartFrom });
		},
	},

	events: {
		// A process that went away took the sockets of its door with it.
		async "$node.disconnected"({ broker, params }: Context<{ node: { id: string } }>) {
			const { book, stir } = presenceNode(broker);
			try {
				await book.processGone(params.node.id);
				stir();
			} catch (error) {
				broker.logger.debug("That a process went away could not be noted; its silence will tell.", { error: String(error) });
			}
		},
	},

	async started(node, broker) {
		if (isTool(broker)) return;
		node.start();
		if (await learnedTo(node.db)) await node.db.tx((tx) => presenceJobs.plan(tx, "learn", {}, { key: "people" }));
	},

	stopped: (node) => node.stop(),
});
