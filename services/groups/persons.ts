// What this node keeps of persons, and how it forgets one: memberships end, and what they said keeps its place with nobody as its author.
import type { EraseTools, Person, PersonalData } from "../../mixins/person/index.ts";
import { newId } from "../../mixins/id.ts";
import type { NewEvent } from "../../mixins/log-carrier.ts";
import type { Tx } from "../../mixins/postgres.ts";
import { broadcast } from "../../mixins/signals.ts";
import { DELETED } from "../contracts/persons.ts";
import type { GroupsNode } from "./actor/actors.ts";
import { depart } from "./domain/depart.ts";
import type { GroupState } from "./domain/group.ts";
import { knowing } from "./actor/known.ts";
import { endAll } from "./people/consumer.ts";
import { flagsOf, forgetFlags } from "./store/flags.ts";
import {
	bans,
	blocks,
	forgetRows,
	groupsEver,
	groupsWith,
	invites,
	joinRequests,
	memberships,
	reactions,
	withStates,
} from "./store/persons.ts";

const ROOMS = 200;

/** Every group that a profile is or was in, one after another. */
async function* roomsOf({ db }: GroupsNode, profileId: string, after: string | null = null): AsyncGenerator<string> {
	for (let from = after; ; ) {
		const rooms = await groupsEver(db, profileId, from, ROOMS);
		yield* rooms;
		const last = rooms.at(-1);
		if (last === undefined) return;
		from = last;
	}
}

/** Somebody's own messages, group by group, in their present state. The key is profile, group, seq. */
const messages: PersonalData<GroupsNode>["exports"][string] = async ({ profileIds }, after, limit, node) => {
	const sorted = [...profileIds].sort();
	const [profile = sorted[0], group, seq = "0"] = after?.split(" ") ?? [];
	const found: NewEvent[] = [];
	for (const profileId of sorted.filter((id) => id >= (profile ?? ""))) {
		const begun = profileId === profile && group !== undefined;
		const own = async (room: string, from: number) => {
			found.push(...(await node.log.carrier.messagesBy(room, profileId, from, limit - found.length)));
			return found.length >= limit;
		};
		if (begun && (await own(group, Number(seq)))) break;
		for await (const room of roomsOf(node, profileId, begun ? group : null)) if (await own(room, 0)) break;
		if (found.length >= limit) break;
	}
	const rows = await withStates(node.db, found);
	return rows.map((row, index) => ({ ...row, key: `${found[index]?.sender} ${row.key}` }));
};

/** Ends every membership of a profile. Asked again until there is none: a request that was under way may have made one more. */
async function leaveAll(node: GroupsNode, profileId: string, alive: () => Promise<unknown>): Promise<void> {
	for (let groups = await groupsWith(node.db, profileId); groups.length > 0; groups = await groupsWith(node.db, profileId)) {
		for (const groupId of groups) {
			const moment = { by: DELETED, at: new Date().toISOString(), id: newId() };
			const around = { requestId: null, actor: DELETED.profileId };
			const decide = (state: GroupState | null) => knowing(node.db, state, () => ({ ...depart(state, moment, profileId), ...around }));
			await node.actors.submit(groupId, { alone: true, decide });
			await alive();
		}
	}
}

/** Safe to do twice, and to be broken off anywhere. */
export async function erasePerson({ profileIds }: Person, tx: Tx, { node, broker, alive }: EraseTools<GroupsNode>): Promise<void> {
	const touched: string[] = [];
	// Of its own, and first: what is told of it is forgotten with everything else that was told.
	await node.db.tx((own) => endAll(own, profileIds, new Date().toISOString()));
	for (const profileId of profileIds) {
		await leaveAll(node, profileId, alive);
		// What the rooms are still to be told of it is told before memory is emptied.
		await node.actors.drained();
		for await (const groupId of roomsOf(node, profileId)) {
			await node.log.carrier.forgetPerson(groupId, profileId, DELETED);
			touched.push(groupId);
			await alive();
		}
	}
	await forgetRows(tx, profileIds);
	await forgetFlags(tx, profileIds);
	tx.afterCommit(() => {
		for (const groupId of touched) {
			node.forget(groupId);
			broadcast(broker, "groups.written", { groupId }).catch(() => {});
		}
	});
}

export const persons: PersonalData<GroupsNode> = {
	exports: {
		memberships: ({ profileIds }, after, limit, { db }) => memberships(db, profileIds, after, limit),
		messages,
		reactions: ({ profileIds }, after, limit, { db }) => reactions(db, profileIds, after, limit),
		invites: ({ profileIds }, after, limit, { db }) => invites(db, profileIds, after, limit),
		flags: ({ profileIds }, after, limit, { db }) => flagsOf(db, profileIds, after, limit),
		joinRequests: ({ profileIds }, after, limit, { db }) => joinRequests(db, profileIds, after, limit),
		bans: ({ profileIds }, after, limit, { db }) => bans(db, profileIds, after, limit),
		blocks: ({ profileIds }, after, limit, { db }) => blocks(db, profileIds, after, limit),
	},
	erase: erasePerson,
};
