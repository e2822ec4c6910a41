// What the groups node offers of who asks to come in, who may not, and of two people alone: direct talks, and blocks between profiles.
import { factTable, internal, published, signalTable } from "./contract.ts";
import { group, memberRole } from "./groups.ts";
import { array, bool, list, object, oneOf, page, text, time, uuid } from "./schema.ts";

const displayName = text(1, 60);
const id = { groupId: uuid };
const who = { groupId: uuid, profileId: uuid };

export const actions = {
	...published({
		"requests.list": {
			summary: "Who asks to join, oldest first; moderators and admins.",
			params: { ...id, ...page },
			answer: list(object({ profileId: uuid, displayName, requestedAt: time })),
			owner: "groupId",
			repeatable: true,
		},
		"requests.accept": {
			summary: "Let somebody in who asks to join; moderators and admins.",
			params: who,
			answer: object({ ...who, role: memberRole, state: oneOf("member") }),
			owner: "groupId",
		},
		"requests.decline": {
			summary: "Turn somebody down who asks to join; moderators and admins. They may ask again.",
			params: who,
			answer: object({ ...who, role: memberRole, state: oneOf("declined") }),
			owner: "groupId",
		},
		"bans.ban": {
			summary: "Keep a profile out, a member or not: removed, not invited, and there is no group for it to join. Moderators and admins.",
			params: who,
			answer: object({}),
			owner: "groupId",
			errors: ["rank"],
		},
		"bans.unban": { summary: "Let a profile ask, join or be invited again.", params: who, answer: object({}), owner: "groupId" },
		"bans.list": {
			summary: "Who is banned, newest first; moderators and admins.",
			params: { ...id, ...page },
			answer: list(object({ profileId: uuid, displayName, bannedAt: time, byId: uuid })),
			owner: "groupId",
			repeatable: true,
		},
		"direct.open": {
			summary:
				"The talk of the caller and one other profile, made on first use: a private group of the two for as long as either is there.",
			params: { profileId: uuid },
			answer: group,
			errors: ["blocked"],
			repeatable: true,
		},
		"blocks.add": {
			summary: "Hear nothing of a profile any more, and have it hear nothing of oneself.",
			params: { profileId: uuid },
			answer: object({ profileId: uuid, blockedAt: time }),
			repeatable: true,
		},
		"blocks.remove": { summary: "Lift one's own block of a profile.", params: { profileId: uuid }, answer: object({}), repeatable: true },
		"blocks.list": {
			summary: "Whom the caller blocks, newest first.",
			params: { ...page },
			answer: list(object({ profileId: uuid, displayName, blockedAt: time })),
			repeatable: true,
		},
	}),
	...internal({
		"direct.make": {
			summary: "This node: the direct talk of the caller and a profile, where its owner is.",
			params: { ...id, profileId: uuid },
			answer: group,
			owner: "groupId",
			repeatable: true,
		},
		"blocks.apart": {
			summary:
				"Doors and other nodes: from whom each of these profiles is apart, because either has blocked the other; in the order asked.",
			params: { profileIds: array(uuid, { min: 1, max: 500 }) },
			answer: object({ apart: array(array(uuid, { max: 10_000 }), { max: 500 }) }),
			repeatable: true,
		},
	}),
};

export const signals = signalTable({
	"groups.apart": {
		summary: "Two profiles are apart now, because one has blocked the other, or no longer.",
		payload: { profileIds: array(uuid, { min: 2, max: 2 }), apart: bool },
	},
});

export const facts = factTable({
	"groups.request.created": {
		summary: "Somebody asks to join a private group. `moderators`: up to 50 of those who may answer, admins first.",
		payload: { ...who, groupName: text(1, 100), displayName, moderators: array(uuid, { max: 50 }) },
	},
	"groups.request.accepted": {
		summary: "Who asked to join was let in.",
		payload: { ...who, groupName: text(1, 100), byId: uuid },
	},
	"groups.request.declined": { summary: "Who asked to join was turned down, or banned.", payload: { ...who, byId: uuid } },
	"groups.request.withdrawn": { summary: "Who asked to join does so no longer.", payload: who },
	"groups.member.banned": {
		summary: "A profile may not be in the group any more. Where it was a member, `groups.member.kicked` was told as well.",
		payload: { ...who, byId: uuid },
	},
	"groups.member.unbanned": { summary: "A profile may be in the group again.", payload: { ...who, byId: uuid } },
	"groups.direct.created": {
		summary:
			"Two profiles have a talk of their own: a group that no `groups.group` or `groups.member` fact speaks of while both are there.",
		payload: { groupId: uuid, profileIds: array(uuid, { min: 2, max: 2 }) },
	},
	"groups.block.added": { summary: "A profile has blocked another.", payload: { profileId: uuid, blockedId: uuid } },
	"groups.block.removed": { summary: "A profile blocks another no longer.", payload: { profileId: uuid, blockedId: uuid } },
});
