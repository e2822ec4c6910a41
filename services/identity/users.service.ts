// Accounts, for those who look after them. What a change does is in users.ts.
import { randomBytes } from "node:crypto";
import { once, onceAfter, pageById, service } from "../../mixins/node.ts";
import type { Ctx } from "../contracts/index.ts";
import { problem } from "../contracts/errors.ts";
import { accountRole, profileKind } from "../contracts/identity.ts";
import { scopeNames, scopes, scopesOfKind, scopesOfRole } from "../contracts/scopes.ts";
import type { AdminUser } from "../contracts/users.ts";
import { shownSession } from "./domain/device.ts";
import { normalizeEmail } from "./domain/login.ts";
import type { IdentityNode } from "./node.ts";
import { identityNode } from "./node.ts";
import { findUser, sessionsOf, usersPage } from "./store/users.ts";
import type { Change } from "./users/users.ts";
import * as changes from "./users/users.ts";
import { identityWork } from "./privacy/work.ts";

type OnUser = Ctx<{ userId: string }>;

/** Does it to the account of the path, and answers how it is then. */
const changed = (ctx: OnUser, node: IdentityNode, change: Change): Promise<AdminUser> =>
	once(ctx, node.db, async (tx) => {
		const { userId } = ctx.params;
		await changes.changeUser(node, tx, changes.doerOf(ctx), userId, change);
		return changes.showUser(tx, userId);
	});

/** The same by an operator, who knows the e-mail. */
const operated = (ctx: Ctx<{ email: string }>, node: IdentityNode, change: Change): Promise<AdminUser> =>
	node.db.tx(async (tx) => {
		const account = await findUser(tx, { email: normalizeEmail(ctx.params.email) });
		if (!account) throw problem("not-found", { detail: "There is no account with this e-mail." });
		await changes.changeUser(node, tx, changes.operator(ctx), account.id, change);
		return changes.showUser(tx, account.id);
	});

export default service("users", {
	node: identityNode,

	actions: {
		async list(ctx, { db }) {
			const now = new Date();
			const page = await pageById(ctx.params, (before, limit) => usersPage(db, ctx.params, before, limit, now));
			return { ...page, data: await changes.viewUsers(db, page.data, now) };
		},

		show: (ctx, { db }) => changes.showUser(db, ctx.params.userId),

		change: (ctx, node) => changed(ctx, node, changes.changeContact(ctx.params)),
		ban: (ctx, node) => changed(ctx, node, changes.ban(ctx.params)),
		unban: (ctx, node) => changed(ctx, node, changes.unban),
		trash: (ctx, node) => changed(ctx, node, changes.trash),
		restore: (ctx, node) => changed(ctx, node, changes.restore),
		purge: (ctx, node) =>
			once(ctx, node.db, async (tx) => {
				const { userId } = ctx.params;
				const jobId = await changes.changeUser(node, tx, changes.doerOf(ctx), userId, changes.purge);
				return { ...(await changes.showUser(tx, userId)), jobId };
			}),
		setRole: (ctx, node) => changed(ctx, node, changes.giveRole(ctx.params.role)),

		async resetPassword(ctx, node) {
			const { userId, temporary } = ctx.params;
			if (!temporary) return changed(ctx, node, changes.resetPassword());
			const password = randomBytes(15).toString("base64url");
			const hash = () => node.hashing.hash(password);
			return onceAfter(ctx, node.db, hash, async (tx, passwordHash) => {
				await changes.changeUser(node, tx, changes.doerOf(ctx), userId, changes.resetPassword(passwordHash));
				return { ...(await changes.showUser(tx, userId)), temporaryPassword: password };
			});
		},

		async sessions(ctx, { db }) {
			const { userId } = ctx.params;
			if (!(await findUser(db, { id: userId }))) throw problem("not-found");
			const page = await pageById(ctx.params, (before, limit) => sessionsOf(db, userId, before, limit, new Date()));
			return { ...page, data: page.data.map(shownSession) };
		},

		async endSession(ctx, node) {
			await changed(ctx, node, changes.endSessionsOf(ctx.params.sessionId));
			return {};
		},

		async endSessions(ctx, node) {
			await changed(ctx, node, changes.endSessionsOf());
			return {};
		},

		async bulkStatus(ctx, { db }) {
			const { ids, state, reason = "Banned with others." } = ctx.params;
			const { broker: _here, ...doer } = changes.doerOf(ctx);
			const unique = [...new Set(ids)];
			const work = { state, reason, ids: unique, doer };
			return once(ctx, db, (tx) => identityWork.begin(tx, ctx, "users.bulk-status", work, { total: unique.length }));
		},

		roles: async () => ({
			roles: [
				...accountRole.values.map((name) => ({ name, of: "account" as const, scopes: scopesOfRole[name] })),
				...profileKind.values.map((name) => ({ name, of: "profile" as const, scopes: scopesOfKind[name] })),
			],
			scopes: scopeNames.map((name) => ({ name, means: scopes[name].means })),
		}),

		operatorBan: (ctx, node) => operated(ctx, node, changes.ban(ctx.params)),
		operatorUnban: (ctx, node) => operated(ctx, node, changes.unban),
	},
});
