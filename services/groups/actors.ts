// The groups' actors: one mailbox per group. What waits in all groups is appended in one statement, its facts with it.
import type { ServiceBroker } from "moleculer";
import { Actors } from "../../mixins/actor/actors.ts";
import type { Committed } from "../../mixins/actor/command.ts";
import { toFact } from "../../mixins/facts/fact.ts";
import { tellFacts } from "../../mixins/facts/outbox.ts";
import type { Claim } from "../../mixins/idempotency.ts";
import { keep } from "../../mixins/idempotency.ts";
import type { Db } from "../../mixins/postgres.ts";
import { perBroker } from "../../mixins/per-broker.ts";
import { database, isUnavailable } from "../../mixins/postgres.ts";
import { PostgresLog } from "../../mixins/log-carrier.ts";
import type { Entry, LogCarrier } from "../../mixins/log-carrier.ts";
import { mongoLog, refuseOtherStore } from "../../mixins/mongo/log.ts";
import { ownership } from "../../mixins/owners.ts";
import { RoomLog } from "../../mixins/room-log.ts";
import { showOperators } from "../../mixins/operators.ts";
import { roomBus } from "../../mixins/rooms.ts";
import type { EvictionReason } from "../../mixins/rooms.ts";
import { broadcast } from "../../mixins/signals.ts";
import { settings } from "../../mixins/settings.ts";
import type { LogEvent } from "../contracts/rooms.ts";
import type { GroupDecision } from "./domain/decision.ts";
import type { GroupEvent, GroupState } from "./domain/group.ts";
import { evolve } from "./domain/group.ts";
import { toRow } from "./store/events.ts";
import { joinedReads } from "./store/joined-reads.ts";
import type { Deed } from "./store/projection.ts";
import { applyEffect, projection } from "./store/projection.ts";
import type { GroupReads } from "./store/reads.ts";
import { twoStepReads } from "./store/two-step-reads.ts";

/** A decision with what the call around it needs: whose request it is, and its Idempotency-Key, if it has one. */
export interface GroupCommit<R = unknown> extends GroupDecision<R> {
	requestId: string | null;
	actor: string;
	claim?: Claim | undefined;
}

type Batch = Committed<GroupState | null, GroupCommit>[];

/** Every event of a portion with its number. */
function numbered(entry: Committed<GroupState | null, GroupCommit>): { seq: number; event: GroupEvent; decision: GroupCommit }[] {
	let seq = entry.first;
	return entry.decisions.flatMap((decision) => decision.events.map((event) => ({ seq: seq++, event, decision })));
}

/** What a mailbox has decided, as the log takes it: what comes of a decision goes with its last event. */
function entriesOf(entry: Committed<GroupState | null, GroupCommit>, now: Date): Entry<Deed>[] {
	let seq = entry.first;
	return entry.decisions.flatMap((decision) => {
		const seqs = decision.events.map(() => seq++);
		const kept = decision.claim?.(decision.answer(seqs));
		const last: Omit<Entry<Deed>, "event"> = {
			facts: decision.facts(seqs).map((fact) => toFact(fact, decision, now)),
			deeds: kept ? [...decision.effects, { kind: "keep", answer: kept }] : decision.effects,
			once: kept && JSON.stringify([kept.scope, kept.key]),
		};
		return decision.events.map((event, i) => ({
			event: toRow(entry.key, seqs[i] as number, event),
			...(i === seqs.length - 1 ? last : { facts: [], deeds: [] }),
		}));
	});
}

const appends = ({ decisions }: Batch[number]): boolean => decisions.some(({ events }) => events.length > 0);

/** What appends goes into the log together. A decision without an event is rows and facts, and no log has to do with it. */
function portions(batch: Batch): Batch[] {
	const together = batch.filter(appends);
	if (together.length === batch.length && batch.length > 0) return [batch];
	const apart = batch.filter((entry) => !appends(entry)).map((entry) => [entry]);
	return together.length > 0 ? [together, ...apart] : apart;
}

async function commit(db: Db, carrier: LogCarrier<Deed>, batch: Batch): Promise<void> {
	if (batch.some(appends)) {
		const now = new Date();
		await carrier.append(batch.flatMap((entry) => entriesOf(entry, now)));
		return;
	}
	for (const { key, decisions } of batch) {
		for (const decision of decisions) {
			const { effects, claim } = decision;
			const facts = decision.facts([]);
			if (effects.length === 0 && facts.length === 0 && !claim) continue;
			// What was told of this group before goes out before.
			await carrier.catchUp(key);
			await db.tx(async (tx) => {
				await tellFacts(tx, decision, facts);
				for (const effect of effects) await applyEffect(tx, key, effect);
				if (claim) await keep(tx, claim(decision.answer([])));
			});
		}
	}
}

/** After the commit: the state goes on. The room hears it a moment later, and whoever was removed hears nothing after it. */
function committed(
	broker: ServiceBroker,
	log: RoomLog,
	entry: Committed<GroupState | null, GroupCommit>,
	later: (tell: () => void) => void,
): GroupState | null {
	let state = entry.state;
	const room = log.nameOf(entry.key);
	let frame: LogEvent[] = [];
	const flush = () => {
		if (frame.length === 0) return;
		const events = frame;
		frame = [];
		later(() => log.publish(entry.key, events));
	};
	const evict = (profileIds: Iterable<string>, reason: EvictionReason) => {
		flush();
		later(() => {
			for (const profileId of profileIds) roomBus(broker).evict(room, profileId, reason);
		});
	};
	for (const { seq, event } of numbered(entry)) {
		const before = state;
		const members = before && event.type === "group" && event.action === "deleted" ? [...before.members.keys()] : [];
		state = evolve(state, entry.key, seq, event);
		frame.push(log.toEvent(toRow(entry.key, seq, event)));
		if (event.type === "member" && (event.action === "kicked" || event.action === "left")) {
			evict([event.profileId], before?.isPublic ? "not-member" : "not-found");
		} else if (event.type === "group" && event.action === "deleted") {
			evict(members, "not-found");
			later(() => log.forget(entry.key));
		} else if (event.type === "deleted") {
			// A deleted text is gone from the log too: what is kept in memory must not bring it back.
			later(() => log.forget(entry.key));
		}
	}
	flush();
	return state;
}

/** Two processes made the same profile a member: the one that was later decides again, on what is stored. */
function isSecondJoin(error: unknown): boolean {
	const { code, constraint } = error as { code?: unknown; constraint?: unknown };
	return code === "23505" && constraint === "members_pkey";
}

/** The carrier of the log, and how it is read. */
function storeOf(broker: ServiceBroker, db: Db): { carrier: LogCarrier<Deed>; reads: GroupReads; healthy?: () => Promise<boolean> } {
	const { MONGO_URL } = settings(broker);
	if (MONGO_URL === undefined) return { carrier: new PostgresLog(db, projection({ late: false })), reads: joinedReads(db) };
	const users = ["groups", "messages", "invites"];
	const carrier = mongoLog(broker, { url: MONGO_URL, collection: "group_events", users, db, projection: projection({ late: true }) });
	return { carrier, reads: twoStepReads(db, carrier), healthy: () => carrier.healthy() };
}

export interface GroupsNode {
	db: Db;
	log: RoomLog;
	reads: GroupReads;
	/** Where the log is in a store of its own: whether that one answers. */
	logIsHealthy: (() => Promise<boolean>) | undefined;
	/** Refuses to go on with logs that are in the other store. */
	checkLog: () => Promise<void>;
	actors: Actors<GroupState | null, GroupEvent, GroupCommit>;
	/** Something of this group was written beside its log: where it is not ours, its owner should know. */
	wrote: (groupId: string) => void;
	/** Another process has written this group. */
	forget: (groupId: string) => void;
	/** Runs work for a name once at a time: whoever comes meanwhile gets the same result, marked as replayed. */
	once: <R extends { replayed: boolean }>(name: string, work: () => Promise<R>) => Promise<R>;
}

function make(broker: ServiceBroker): GroupsNode {
	const db = database("groups");
	const { carrier, reads, healthy: logIsHealthy } = storeOf(broker, db);
	const log = new RoomLog(carrier, "group", broker);
	const owned = ownership(broker, "messages.post");
	// The owner did not answer in time; when it wakes up, what it knows is out of date.
	const wrote = (groupId: string) => {
		if (!owned.mine(groupId)) void broadcast(broker, "groups.written", { groupId });
	};
	const actors = new Actors<GroupState | null, GroupEvent, GroupCommit>({
		load: (groupId) => reads.load(groupId),
		head: (state) => state?.head ?? 0,
		commit: (batch) => commit(db, carrier, batch),
		portions,
		committed(entry, later) {
			const state = committed(broker, log, entry, later);
			wrote(entry.key);
			if (!owned.mine(entry.key)) later(() => log.forget(entry.key));
			return state;
		},
		keeps: (groupId) => owned.mine(groupId),
		isAway: isUnavailable,
		isConflict: (error) => carrier.isConflict(error) || isSecondJoin(error),
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
	return { db, log, reads, logIsHealthy, checkLog, actors, once, wrote, forget: forgetOne };
}

/** What the services of this node share on one broker: its database, its room log, its actors. */
export const groupsNode = perBroker(make);
