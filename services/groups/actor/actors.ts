// The groups' actors: one mailbox per group, over the log that keeps them.
import type { ServiceBroker } from "moleculer";
import { Actors } from "../../../mixins/actor/actors.ts";
import type { LogCarrier } from "../../../mixins/log-carrier.ts";
import { PostgresLog } from "../../../mixins/log-carrier.ts";
import { mongoLog, refuseOtherStore } from "../../../mixins/mongo/log.ts";
import { showOperators } from "../../../mixins/operators.ts";
import { ownership } from "../../../mixins/owners.ts";
import { perBroker } from "../../../mixins/per-broker.ts";
import type { Db } from "../../../mixins/postgres.ts";
import { database, isUnavailable } from "../../../mixins/postgres.ts";
import { RoomLog } from "../../../mixins/room-log.ts";
import { settings } from "../../../mixins/settings.ts";
import { broadcast } from "../../../mixins/signals.ts";
import type { GroupCommit } from "./commit.ts";
import { commit, isSecond, portions } from "./commit.ts";
import { committed } from "./committed.ts";
import type { GroupEvent, GroupState } from "../domain/group.ts";
import { groupsJobs } from "../jobs.ts";
import { groupsMail } from "../invites/mails.ts";
import type { InviteTools } from "../store/invites.ts";
import { known } from "./known.ts";
import { showEvent } from "../messages/shown.ts";
import { SearchFollower } from "../search/follower.ts";
import { joinedReads } from "../store/joined-reads.ts";
import type { Deed } from "../store/projection.ts";
import { projection } from "../store/projection.ts";
import type { GroupReads } from "../store/reads.ts";
import { twoStepReads } from "../store/two-step-reads.ts";
import type { WordIndex } from "../store/words.ts";
import { wordsInPostgres } from "../store/words-here.ts";
import { wordsElsewhere } from "../store/words-elsewhere.ts";

interface Store {
	carrier: LogCarrier<Deed>;
	reads: GroupReads;
	words: WordIndex;
	healthy?: () => Promise<boolean>;
}

/** The carrier of the log, how it is read, and how what was said is found. */
function storeOf(broker: ServiceBroker, db: Db, invites: InviteTools): Store {
	const { MONGO_URL } = settings(broker);
	if (MONGO_URL === undefined) {
		const carrier = new PostgresLog<Deed>(db, projection({ late: false, invites }));
		return { carrier, reads: joinedReads(db), words: wordsInPostgres(db) };
	}
	const users = ["groups", "messages", "invites", "requests", "bans", "direct", "messageSearch", "flags"];
	const carrier = mongoLog(broker, {
		url: MONGO_URL,
		collection: "group_events",
		users,
		db,
		projection: projection({ late: true, invites }),
	});
	return { carrier, reads: twoStepReads(db, carrier), words: wordsElsewhere(carrier), healthy: () => carrier.healthy() };
}

export interface GroupsNode {
	db: Db;
	log: RoomLog;
	reads: GroupReads;
	/** By which words messages are found, and who brings in what was said. */
	words: WordIndex;
	search: SearchFollower;
	/** Where the log is in a store of its own: whether that one answers. */
	logIsHealthy: (() => Promise<boolean>) | undefined;
	/** Refuses to go on with logs that are in the other store. */
	checkLog: () => Promise<void>;
	/** A group is read by `read`, which knows of whom. */
	actors: Omit<Actors<GroupState | null, GroupEvent, GroupCommit>, "read">;
	/** A group as it is stored, with what is known of these profiles in it; null where there is none. */
	read: (groupId: string, ...profileIds: string[]) => Promise<GroupState | null>;
	/** Something of this group was written beside its log: where it is not ours, its owner should know. */
	wrote: (groupId: string) => void;
	/** Another process has written this group. */
	forget: (groupId: string) => void;
	/** Runs work for a name once at a time: whoever comes meanwhile gets the same result, marked as replayed. */
	once: <R extends { replayed: boolean }>(name: string, work: () => Promise<R>) => Promise<R>;
}

function make(broker: ServiceBroker): GroupsNode {
	const db = database("groups");
	const sendMail = groupsMail.on(broker);
	const invites: InviteTools = {
		plan: (tx, invite, at) => groupsJobs.plan(tx, "expireInvite", invite, { at, key: invite.inviteId }),
		cancel: (tx, inviteId) => groupsJobs.cancel(tx, "expireInvite", inviteId),
		send: (tx, { to, language, inviterName, groupName, link }) =>
			sendMail(tx, { to, language, template: "invite", values: { inviter: inviterName, group: groupName, link } }),
	};
	const { carrier, reads, words, healthy: logIsHealthy } = storeOf(broker, db, invites);
	const logger = broker.getLogger("search");
	const search = new SearchFollower({ db, carrier, index: words, report: (text, data) => logger.warn(text, data) });
	const log = new RoomLog(carrier, "group", broker, { show: showEvent(broker) });
	const owned = ownership(broker, "messages.post");
	// The owner did not answer in time; when it wakes up, what it knows is out of date.
	const wrote = (groupId: string) => {
		if (!owned.mine(groupId)) void broadcast(broker, "groups.written", { groupId });
	};
	const actors = new Actors<GroupState | null, GroupEvent, GroupCommit>({
		load: (groupId) => reads.load(groupId),
		head: (state) => state?.head ?? 0,
		commit: (batch) => commit(db, carrier, invites, batch),
		portions,
		committed(entry, later) {
			const state = committed(broker, log, entry, later);
			wrote(entry.key);
			search.said(entry.key);
			if (!owned.mine(entry.key)) later(() => log.forget(entry.key));
			return state;
		},
		keeps: (groupId) => owned.mine(groupId),
		isAway: isUnavailable,
		isConflict: (error) => carrier.isConflict(error) || isSecond(error),
		replay: async (groupId, decision) => {
			const [event] = decision.events;
			if (event?.type !== "message") return undefined;
			const stored = await carrier.byClientId(groupId, event.by.profileId, event.message.clientId);
			return stored && { stored };
		},
	});
	showOperators(broker, { actors: { count: () => actors.size, look: (groupId) => actors.look(groupId) } });
	// Another process may have written what is kept here: what is not ours to keep is read from the store again.
	const forget = (which: (groupId: string) => boolean) => {
		actors.forgetAll(which);
		log.forgetAll(which);
	};
	owned.onDoubt((all) => forget(all ? () => true : (groupId) => !owned.mine(groupId)));
	const underWay = new Map<string, Promise<{ replayed: boolean }>>();
	const once: GroupsNode["once"] = async (name, work) => {
		const running = underWay.get(name);
		if (running) return { ...(await running), replayed: true } as Awaited<ReturnType<typeof work>>;
		const mine = work();
		underWay.set(name, mine);
		try {
			return await mine;
		} finally {
			underWay.delete(name);
		}
	};
	const forgetOne = (groupId: string) => {
		actors.forget(groupId);
		log.forget(groupId);
	};
	const checkLog = () => refuseOtherStore(db, settings(broker).MONGO_URL !== undefined);
	const read: GroupsNode["read"] = async (groupId, ...profileIds) => known(db, await actors.read(groupId), profileIds);
	return { db, log, reads, words, search, logIsHealthy, checkLog, actors, read, once, wrote, forget: forgetOne };
}

/** What the services of this node share on one broker: its database, its room log, its actors. */
export const groupsNode = perBroker(make);
