// The rights of persons: what is kept of them in one archive, and to be forgotten.
import { once, service } from "../../mixins/node.ts";
import { countWork, newestWork } from "../../mixins/work/store.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { keeperNames } from "../contracts/index.ts";
import { eraseAccount } from "./privacy/erase.ts";
import { provePassword } from "./sign-in/guesses.ts";
import type { IdentityNode } from "./node.ts";
import { identityNode } from "./node.ts";
import { addAudit } from "./store/audit.ts";
import { profileIdsOf } from "./store/erase.ts";
import type { Archive } from "./store/exports.ts";
import { findArchive, readPart } from "./store/exports.ts";
import { lockUser } from "./store/users.ts";
import { keepAnAdmin } from "./users/users.ts";
import { identityWork, opensExport } from "./privacy/work.ts";

/** Exports that one account may begin within a day, times RATE_LIMIT_FACTOR: each costs every node a walk through its tables. */
const A_DAY = 10;
const DAY_SECONDS = 86_400;

/** The archive that this link opens. One whose key is wrong is as unknown as one that is not there. */
async function opened({ broker, params }: Ctx<{ exportId: string; key: string }>, { db }: IdentityNode): Promise<Archive> {
	const archive = opensExport(broker, params.exportId, params.key) ? await findArchive(db, params.exportId) : undefined;
	if (!archive) throw problem("not-found");
	if (archive.expiresAt <= new Date().toISOString()) throw problem("expired");
	return archive;
}

export default service("privacy", {
	node: identityNode,

	actions: {
		async export(ctx, { db, factor }) {
			const { accountId } = ctx.caller;
			return once(ctx, db, async (tx) => {
				const since = new Date(Date.now() - DAY_SECONDS * 1000);
				const person = { accountId, profileIds: await profileIdsOf(tx, accountId) };
				const job = await identityWork.begin(tx, ctx, "export", person, { once: accountId, total: keeperNames.length });
				if ((await countWork(tx, "export", accountId, since)) > Math.max(1, Math.floor(A_DAY * factor)))
					throw problem("rate-limited", { retryAfter: DAY_SECONDS });
				return job;
			});
		},

		async latest(ctx, { db }) {
			const row = await newestWork(db, "export", ctx.caller.accountId);
			if (!row) throw problem("not-found");
			return identityWork.view(row, ctx.broker);
		},

		async download(ctx, node) {
			const { size, parts, madeAt } = await opened(ctx, node);
			return { name: `reloop-export-${madeAt.slice(0, 10)}.zip`, type: "application/zip", size, parts };
		},

		async part(ctx, node) {
			await opened(ctx, node);
			const bytes = await readPart(node.db, ctx.params.exportId, ctx.params.part);
			if (!bytes) throw problem("not-found");
			return { bytes: bytes.toString("base64") };
		},

		async erase(ctx, node) {
			await provePassword(node, ctx, ctx.params.password, { orNone: true });
			const { accountId } = ctx.caller;
			return node.db.tx(async (tx) => {
				const user = await lockUser(tx, accountId);
				if (!user) throw problem("not-found");
				await keepAnAdmin(tx, user, ctx.caller);
				const job = await eraseAccount(tx, ctx, accountId);
				const entry = { actor: accountId, action: "account.erase", target: accountId, requestId: ctx.requestId, detail: {} };
				await addAudit(tx, entry, new Date());
				return job;
			});
		},
	},
});
