// Accounts as those who look after them see them, and what was done to whom.
import { factTable, internal, published } from "./contract.ts";
import { accountRole, accountState, profile, session } from "./identity.ts";
import { array, bool, email, int, json, list, nullable, object, oneOf, optional, page, record, text, time, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";
import { job } from "./work.ts";

const language = oneOf("en", "pt", "ar", "ku");
const phone = text(3, 32);
const reason = text(1, 500);

export const ban = object({ reason: nullable(reason), until: nullable(time), at: nullable(time), by: nullable(uuid) });
export const adminUser = object({
	id: uuid,
	/** Null of a purged account. */
	email: nullable(text(3, 254)),
	state: accountState,
	role: accountRole,
	phone: nullable(phone),
	language: nullable(text(2, 8)),
	createdAt: time,
	updatedAt: time,
	profiles: array(profile),
	ban: optional(ban),
});
export type AdminUser = Infer<typeof adminUser>;

export const auditEntry = object({
	id: uuid,
	/** Its place in the chain. */
	seq: int(1),
	at: time,
	/** The account whose doing it was; null for an operator, and for what happens by itself. */
	actor: nullable(uuid),
	action: text(1, 100),
	target: text(1, 200),
	requestId: nullable(text(1, 200)),
	before: nullable(record(json)),
	after: nullable(record(json)),
	detail: record(json),
	/** SHA-256 of the entry before it and of its own words, hexadecimal. */
	hash: text(64, 64),
});

/** What many accounts can be made at once; purging is one by one. */
export const bulkState = oneOf("active", "banned", "trashed", "mustChangePassword");

const user = { userId: uuid };
const grantee = { scopes: array(text(1, 100)) };
const broken = object({
	seq: nullable(int(1)),
	id: nullable(uuid),
	at: nullable(time),
	action: nullable(text(1, 100)),
	fault: oneOf("removed", "changed", "inserted"),
});

export const actions = {
	...published({
		"users.list": {
			summary: "Accounts, newest first; `q` looks in e-mails and display names, and finds an id.",
			params: {
				...page,
				q: optional(text(1, 200)),
				state: optional(accountState),
				role: optional(accountRole),
				kind: optional(profile.props.kind),
				createdFrom: optional(time),
				createdTo: optional(time),
			},
			answer: list(adminUser),
			repeatable: true,
		},
		"users.show": { summary: "An account.", params: user, answer: adminUser, repeatable: true },
		"users.change": {
			summary:
				"Change an account's e-mail, phone or language, or the name of its oldest profile; `null` takes phone or language away. A new e-mail is unverified: it gets a mail to prove it, the old one a notice.",
			params: {
				...user,
				email: optional(email),
				phone: optional(nullable(phone)),
				language: optional(nullable(language)),
				displayName: optional(profile.props.displayName),
			},
			answer: adminUser,
			errors: ["email-taken", "rank", "wrong-state"],
		},
		"users.ban": {
			summary: "Ban an account, for good or until a time; its sessions end. Again: with another reason and end.",
			params: { ...user, reason, until: optional(nullable(time)) },
			answer: adminUser,
			errors: ["rank", "wrong-state", "last-admin"],
		},
		"users.unban": { summary: "End a ban.", params: user, answer: adminUser, errors: ["rank", "wrong-state"] },
		"users.trash": {
			summary: "Close an account so that it can be restored; its sessions end.",
			params: user,
			answer: adminUser,
			errors: ["rank", "wrong-state", "last-admin"],
		},
		"users.restore": {
			summary: "Open an account that was in the trash.",
			params: user,
			answer: adminUser,
			errors: ["rank", "wrong-state"],
		},
		"users.purge": {
			summary: "Erase an account for good: the person is gone, the e-mail is free. The job ends when every node has forgotten them.",
			params: user,
			answer: object({ ...adminUser.props, jobId: uuid }),
			errors: ["rank", "wrong-state", "last-admin"],
		},
		"users.resetPassword": {
			summary: "Have the password changed at the next login; with `temporary` the old one ends, and the answer shows a new one, once.",
			params: { ...user, temporary: optional(bool) },
			answer: object({ ...adminUser.props, temporaryPassword: optional(text(8, 128, { verbatim: true })) }),
			errors: ["rank", "wrong-state"],
		},
		"users.setRole": {
			summary: "Give an account a role: none that carries more than one's own. Its sessions end.",
			params: { ...user, role: accountRole },
			answer: adminUser,
			errors: ["rank", "wrong-state", "last-admin"],
		},
		"users.sessions": {
			summary: "An account's open sessions, newest first.",
			params: { ...page, ...user },
			answer: list(session),
			repeatable: true,
		},
		"users.endSession": {
			summary: "End a session of an account.",
			params: { ...user, sessionId: uuid },
			answer: object({}),
			errors: ["rank"],
		},
		"users.endSessions": { summary: "End every session of an account.", params: user, answer: object({}), errors: ["rank"] },
		"users.bulkStatus": {
			summary:
				"Put many accounts into a state: `active` ends bans and takes out of the trash. What is refused for one is no reason for the others; `result.failed` names it.",
			params: { ids: array(uuid, { min: 1, max: 1000 }), state: bulkState, reason: optional(reason) },
			answer: job,
		},
		"users.roles": {
			summary: "The registry of rights: which scopes each role of accounts and kind of profiles carries, and what they open.",
			params: {},
			answer: object({
				roles: array(object({ name: text(1, 40), of: oneOf("account", "profile"), ...grantee })),
				scopes: array(object({ name: text(1, 100), means: text(1, 500) })),
			}),
			repeatable: true,
		},
		"audit.list": {
			summary: "What was done to accounts and sessions, newest first.",
			params: {
				...page,
				actor: optional(uuid),
				action: optional(text(1, 100)),
				target: optional(text(1, 200)),
				from: optional(time),
				to: optional(time),
			},
			answer: list(auditEntry),
			repeatable: true,
		},
	}),
	...internal({
		"users.operatorBan": {
			summary: "Operators: ban an account by its e-mail; its sessions end.",
			params: { email, reason, until: optional(time) },
			answer: adminUser,
		},
		"users.operatorUnban": { summary: "Operators: end the ban of an account by its e-mail.", params: { email }, answer: adminUser },
		"audit.check": {
			summary: "Operators: whether the audit is whole, and the first entry that is not as it was.",
			params: {},
			answer: object({ ok: bool, entries: int(0), broken: nullable(broken) }),
			repeatable: true,
		},
	}),
};

const whose = { accountId: uuid, profileIds: array(uuid) };
export const facts = factTable({
	"identity.account.banned": {
		summary: "An account was banned, or its ban changed; its sessions have ended. `until` null: for good.",
		payload: { ...whose, until: nullable(time) },
	},
	"identity.account.unbanned": { summary: "A ban ended: somebody ended it, or its time was over.", payload: whose },
	"identity.account.trashed": { summary: "An account was closed; it can be restored.", payload: whose },
	"identity.account.restored": { summary: "An account came out of the trash.", payload: whose },
	"identity.account.roleChanged": { summary: "An account has another role.", payload: { ...whose, role: accountRole } },
});
