// ONE table of what the facts of other nodes notify of: whom, by which wording, with what. And of what makes a notification needless
// again. How long each may wait is in kinds.ts, what it says in wordings.ts. Pure.
import type { AnyFact, Fact, FactName, FactPayload } from "../../contracts/index.ts";
import type { Json } from "../../contracts/infer.ts";
import { cut } from "./wordings.ts";
import type { Values, WordingName } from "./wordings.ts";

/** A notification that somebody may get: whether they do, their preferences, blocks and mutes decide. */
export interface Wanted {
	/** Whose inbox. Null with `accountId`: of an account, its first profile's. */
	profileId: string | null;
	accountId?: string;
	wording: WordingName;
	/** The same cause never notifies the same profile twice. */
	cause: string;
	values: Values;
	/** Instead of those, for who reads this language. */
	inLanguage?: { readonly [language: string]: Values | undefined };
	data: Readonly<Record<string, Json>>;
	/** Whose doing it is: they are not told of it, nor who is apart from them. Their name, unless it is among the values, is filled in. */
	by?: string;
	/** The group it happened in: nobody is told who is looking at it, nor, as a rule, who has muted it. */
	groupId?: string;
	/** The place in that group's log: who has read that far has seen it. */
	messageSeq?: number;
	/** Comes through although the group is muted. */
	loud?: true;
	/** What is unread under the same name is one notification, with a count. */
	thread?: string;
	/** ISO 8601. */
	at: string;
}

type Told = Omit<Wanted, "at">;
/** @param peers the two of a direct talk, where it is one */
type Row<N extends FactName> = (
	payload: FactPayload<N>,
	fact: Fact<N>,
	peers: (groupId: string) => readonly string[] | undefined,
) => readonly Told[];

const EXCERPT = 140;

/** What is quoted of a message; of pictures alone that they are some. */
const quoted = ({ excerpt, content, attachments = [] }: FactPayload<"groups.message.posted">): string =>
	cut((excerpt ?? content).replace(/\s+/g, " ").trim(), EXCERPT) || "📷".repeat(attachments.length);

/** Whoever is mentioned, else whoever is replied to; in a direct talk the other one. Nobody twice. */
const posted: Row<"groups.message.posted"> = (payload, _fact, peers) => {
	const { groupId, seq, messageId, senderId, displayName, groupName, mentions = [], repliedToId } = payload;
	const message = {
		cause: `message ${groupId} ${seq}`,
		data: { groupId, seq, messageId, senderId },
		by: senderId,
		groupId,
		messageSeq: seq,
		values: { excerpt: quoted(payload), group: groupName ?? "…", ...(displayName ? { name: displayName } : {}) },
	};
	const two = peers(groupId);
	if (two)
		return two.filter((id) => id !== senderId).map((profileId) => ({ ...message, profileId, wording: "wrote" as const, thread: groupId }));
	const mentioned = [...new Set(mentions)].map((profileId) => ({
		...message,
		profileId,
		wording: "mentioned" as const,
		loud: true as const,
	}));
	if (repliedToId === undefined || mentions.includes(repliedToId)) return mentioned;
	return [...mentioned, { ...message, profileId: repliedToId, wording: "replied" as const }];
};

/** So begins what every asking of somebody to join any group is called. */
export const askingOf = (profileId: string): string => `request ${profileId} `;
/** Who asked once may ask again: what each asking is called begins so. */
const asking = (groupId: string, profileId: string): string => `${askingOf(profileId)}${groupId} `;

const table: { [N in FactName]?: Row<N> } = {
	"identity.account.registered": ({ profileId, displayName }) => [
		{ profileId, wording: "welcome", cause: "welcome", values: { name: displayName }, data: {} },
	],
	"identity.account.verified": ({ accountId }) => [
		{ profileId: null, accountId, wording: "verified", cause: `verified ${accountId}`, values: {}, data: {} },
	],
	"identity.account.roleChanged": ({ accountId, role }, { id }) => [
		{ profileId: null, accountId, wording: "roleChanged", cause: `role ${id}`, values: { role }, data: { role } },
	],
	"groups.invite.created": ({ inviteId, groupId, groupName, inviterId, inviterName, inviteeId, role }) =>
		inviteeId === null
			? []
			: [
					{
						profileId: inviteeId,
						wording: "invited",
						cause: `invite ${inviteId}`,
						values: { group: groupName, name: inviterName },
						data: { inviteId, groupId, inviterId, role },
						by: inviterId,
					},
				],
	"groups.request.created": ({ groupId, groupName, profileId: askerId, displayName, moderators }, { id }) =>
		moderators.map((profileId) => ({
			profileId,
			wording: "asked",
			cause: `${asking(groupId, askerId)}${id}`,
			values: { group: groupName, name: displayName },
			data: { groupId, profileId: askerId },
			by: askerId,
			// A mute is about what is said; who asks to come in waits for an answer.
			loud: true,
			groupId,
		})),
	"groups.request.accepted": ({ groupId, groupName, profileId, byId }, { id }) => [
		{ profileId, wording: "letIn", cause: `let in ${id}`, values: { group: groupName }, data: { groupId }, by: byId },
	],
	"groups.message.posted": posted,
	"groups.message.flagged": ({ groupId, groupName, seq, flagId, moderators }) =>
		moderators.map((profileId) => ({
			profileId,
			wording: "flagged",
			cause: `flag ${flagId}`,
			values: { group: groupName },
			data: { groupId, seq, flagId },
			loud: true,
			groupId,
		})),
	"gamification.points.awarded": ({ profileId, currency, amount, reason, source, total }) =>
		// XP is earned by every message: the room has an event for it, and the inbox none.
		currency === "xp"
			? []
			: [
					{
						profileId,
						wording: currency === "coins" ? "paidCoins" : "paid",
						cause: `points ${currency} ${reason} ${source}`,
						values: { amount, total },
						data: { amount, currency, reason, source, total },
					},
				],
	"gamification.level.reached": ({ profileId, level, previous }) => [
		{ profileId, wording: "levelUp", cause: `level ${level}`, values: { level }, data: { level, previous } },
	],
};

/** The facts that notify of something. */
export const notifying = Object.keys(table) as FactName[];

const wantedBy = <N extends FactName>(fact: Fact<N>, peers: Parameters<Row<N>>[2]): readonly Told[] =>
	table[fact.type]?.(fact.payload, fact, peers) ?? [];

/** Who may be told what of a fact; nobody of their own doing. */
export const toWanted = (fact: AnyFact, peers: (groupId: string) => readonly string[] | undefined): Wanted[] =>
	wantedBy(fact, peers)
		.filter(({ profileId, by }) => by === undefined || by !== profileId)
		.map((wanted) => ({ ...wanted, at: fact.at }));

/** What is over: `seen` where it was dealt with, `gone` where nobody shall see it any more. */
export interface Over {
	cause: string;
	/** So begin the causes of all that is over. */
	beginning?: boolean;
	as: "seen" | "gone";
}

const ends: { [N in FactName]?: (payload: FactPayload<N>) => Over | undefined } = {
	"groups.invite.accepted": ({ inviteId }) => ({ cause: `invite ${inviteId}`, as: "seen" }),
	"groups.invite.declined": ({ inviteId }) => ({ cause: `invite ${inviteId}`, as: "seen" }),
	"groups.invite.revoked": ({ inviteId }) => ({ cause: `invite ${inviteId}`, as: "gone" }),
	"groups.invite.expired": ({ inviteId }) => ({ cause: `invite ${inviteId}`, as: "gone" }),
	"groups.request.accepted": ({ groupId, profileId }) => ({ cause: asking(groupId, profileId), beginning: true, as: "seen" }),
	"groups.request.declined": ({ groupId, profileId }) => ({ cause: asking(groupId, profileId), beginning: true, as: "seen" }),
	"groups.request.withdrawn": ({ groupId, profileId }) => ({ cause: asking(groupId, profileId), beginning: true, as: "gone" }),
	"groups.moderation.done": ({ flagId }) => (flagId === undefined ? undefined : { cause: `flag ${flagId}`, as: "seen" }),
	"groups.message.deleted": ({ groupId, target }) => ({ cause: `message ${groupId} ${target}`, as: "gone" }),
};

/** The facts that end something. */
export const ending = Object.keys(ends) as FactName[];

const overBy = <N extends FactName>({ type, payload }: Fact<N>): Over | undefined => ends[type]?.(payload);
/** Undefined where it ends nothing. */
export const toOver = (fact: AnyFact): Over | undefined => overBy(fact);
