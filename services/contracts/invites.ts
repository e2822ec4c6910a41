// What the groups node offers of invites: to a profile, or to an e-mail address whose owner may not have one yet.
import { factTable, internal, published } from "./contract.ts";
import { memberRole } from "./groups.ts";
import { bool, defaulted, email, int, list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

export const inviteState = oneOf("pending", "accepted", "declined", "expired", "revoked");
/** Whoever has it may answer the invite: where it is to a profile, as that profile. */
export const inviteToken = text(1, 128);
export const invite = object({
	id: uuid,
	/** Shown to who was invited, and to who invited. */
	token: optional(inviteToken),
	groupId: uuid,
	groupName: optional(text(1, 100)),
	inviterId: uuid,
	/** Null where an address was invited, until somebody accepts. */
	inviteeId: nullable(uuid),
	/** The address, as long as the invite is open; to its inviter and to moderators. */
	email: optional(text(3, 254)),
	role: memberRole,
	state: inviteState,
	expiresAt: time,
	createdAt: time,
});
export type Invite = Infer<typeof invite>;

const id = { groupId: uuid };
export const actions = {
	...published({
		"invites.create": {
			summary:
				"Invite a profile, or whoever reads an address's mail. Public groups: any member, as member; private: moderators and admins, up to their own role.",
			description:
				"Give `profileId` or `email`. Of an address nobody is told whether it has an account: it gets a mail with a link in any case, in `language` (English unless said), and whoever has the link accepts. One open invite for each.",
			params: {
				...id,
				profileId: optional(uuid),
				email: optional(email),
				role: defaulted(memberRole, "member"),
				language: optional(oneOf("en", "pt", "ar", "ku")),
				expiresInSeconds: optional(int(1, 7_776_000)),
			},
			answer: invite,
			owner: "groupId",
			errors: ["already-invited", "already-member", "banned", "blocked", "rank"],
		},
		"invites.ofGroup": {
			summary: "The group's invites, newest first.",
			params: { ...id, ...page },
			answer: list(invite),
			owner: "groupId",
			repeatable: true,
		},
		"invites.mine": {
			summary: "The caller's open invites, newest first; those to their account's verified address among them.",
			params: { ...page },
			answer: list(invite),
			repeatable: true,
		},
		"invites.revoke": {
			summary: "Take an open invite back: one's own, or as a moderator any that gives no more than one has.",
			params: { ...id, inviteId: uuid },
			answer: object({}),
			owner: "groupId",
			errors: ["wrong-state", "expired", "rank"],
		},
		"invites.accept": {
			summary: "Accept by the invite's id: become a member with the role it carries.",
			params: { inviteId: uuid },
			answer: invite,
		},
		"invites.decline": { summary: "Decline by the invite's id.", params: { inviteId: uuid }, answer: invite },
		"invites.acceptByToken": { summary: "Accept by the invite's token.", params: { token: inviteToken }, answer: invite },
		"invites.declineByToken": { summary: "Decline by the invite's token.", params: { token: inviteToken }, answer: invite },
	}),
	...internal({
		"invites.answer": {
			summary: "This node: accept or decline, where the group's owner is. `byToken`: the token was shown.",
			params: { ...id, inviteId: uuid, accept: bool, byToken: bool },
			answer: invite,
			owner: "groupId",
		},
		"invites.expire": {
			summary: "This node: an invite's time is over.",
			params: { ...id, inviteId: uuid },
			answer: object({}),
			owner: "groupId",
			repeatable: true,
		},
	}),
};

const of = { inviteId: uuid, groupId: uuid, inviterId: uuid, inviteeId: nullable(uuid) };
export const facts = factTable({
	"groups.invite.created": {
		summary: "A profile was invited; or an address, which gets its mail from here and is not told.",
		payload: { ...of, groupName: text(1, 100), inviterName: text(1, 60), role: memberRole, expiresAt: time },
	},
	"groups.invite.accepted": { summary: "Somebody who was invited is a member.", payload: { ...of, inviteeId: uuid } },
	"groups.invite.declined": { summary: "An invitee said no.", payload: of },
	"groups.invite.revoked": {
		summary: "An open invite was taken back, by `byId`, or because it could not stand.",
		payload: { ...of, byId: nullable(uuid) },
	},
	"groups.invite.expired": { summary: "An invite's time was over before it was answered.", payload: of },
});
