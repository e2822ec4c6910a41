// One commit of the groups' mailboxes: what appends, of all groups, is one statement of the log, its facts with it; what only
// writes rows is a transaction of its own.
import { toFact } from "../../../mixins/facts/fact.ts";
import { tellFacts } from "../../../mixins/facts/outbox.ts";
import type { Committed } from "../../../mixins/actor/command.ts";
import type { Claim } from "../../../mixins/idempotency.ts";
import { keep } from "../../../mixins/idempotency.ts";
import type { Entry, LogCarrier } from "../../../mixins/log-carrier.ts";
import type { Db } from "../../../mixins/postgres.ts";
import type { GroupDecision } from "../domain/decision.ts";
import type { GroupEvent, GroupState } from "../domain/group.ts";
import { counted, toRow } from "../store/events.ts";
import type { Deed } from "../store/projection.ts";
import type { InviteTools } from "../store/invites.ts";
import { applyEffect } from "../store/projection.ts";

/** A decision with what the call around it needs: whose request it is, and its Idempotency-Key, if it has one. */
export interface GroupCommit<R = unknown> extends GroupDecision<R> {
	requestId: string | null;
	actor: string;
	claim?: Claim | undefined;
}

/** What one group adds to a commit. */
export type GroupShare = Committed<GroupState | null, GroupCommit>;

/** What a mailbox has decided, as the log takes it: what comes of a decision goes with its last event. */
function entriesOf(entry: GroupShare, now: Date): Entry<Deed>[] {
	let seq = entry.first;
	// A group that is made begins to count.
	let messages = entry.state ? entry.state.messages : 0;
	const upTo = ({ type }: GroupEvent) => {
		if (messages !== undefined && type === "message") messages++;
		return messages;
	};
	return entry.decisions.flatMap((decision) => {
		const seqs = decision.events.map(() => seq++);
		const kept = decision.claim?.(decision.answer(seqs));
		const last: Omit<Entry<Deed>, "event"> = {
			facts: decision.facts(seqs).map((fact) => toFact(fact, decision, now)),
			deeds: kept ? [...decision.effects, { kind: "keep", answer: kept }] : decision.effects,
			once: kept && JSON.stringify([kept.scope, kept.key]),
		};
		return decision.events.map((event, i) => ({
			event: counted(toRow(entry.key, seqs[i] as number, event), upTo(event)),
			...(i === seqs.length - 1 ? last : { facts: [], deeds: [] }),
		}));
	});
}

const appends = ({ decisions }: GroupShare): boolean => decisions.some(({ events }) => events.length > 0);

/** What appends goes into the log together. A decision without an event is rows and facts, and no log has to do with it. */
export function portions(batch: GroupShare[]): GroupShare[][] {
	const together = batch.filter(appends);
	if (together.length === batch.length && batch.length > 0) return [batch];
	const apart = batch.filter((entry) => !appends(entry)).map((entry) => [entry]);
	return together.length > 0 ? [together, ...apart] : apart;
}

export async function commit(db: Db, carrier: LogCarrier<Deed>, invites: InviteTools, batch: GroupShare[]): Promise<void> {
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
				for (const effect of effects) await applyEffect(tx, key, effect, invites);
				if (claim) await keep(tx, claim(decision.answer([])));
			});
		}
	}
}

/** What two processes cannot both make: the one that was later decides again, on what is stored. */
const ONCE = new Set(["members_pkey", "invites_open", "invites_open_email"]);
export function isSecond(error: unknown): boolean {
	const { code, constraint } = error as { code?: unknown; constraint?: unknown };
	return code === "23505" && typeof constraint === "string" && ONCE.has(constraint);
}
