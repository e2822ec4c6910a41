// Many accounts put into one state: portion after portion, each account in a transaction of its own. A portion that is done again
// finds what is done already as it should be.
import type { WorkTools } from "../../../mixins/work/index.ts";
import { isProblem, problem } from "../../contracts/errors.ts";
import type { Params } from "../../contracts/index.ts";
import { identityNode } from "../node.ts";
import { addAudit } from "../store/audit.ts";
import type { Change, Doer } from "./users.ts";
import { ban, changeUser, resetPassword, restore, trash, unban } from "./users.ts";

type BulkState = Params<"users.bulkStatus">["state"];

export interface BulkStatus {
	state: BulkState;
	reason: string;
	ids: string[];
	doer: Omit<Doer, "broker">;
}
/** Who was left as they were, and why. */
export type BulkResult = { failed: { id: string; code: string }[] };

const PORTION = 20;

/** Leaves alone what is in the state already. */
const unlessIn =
	(state: BulkState, change: Change): Change =>
	(subject) =>
		subject.user.state === state ? Promise.resolve() : change(subject);

/** Out of the trash, and out of a ban; an account that is neither stays what it is. */
const open: Change = async (subject) => {
	const { state, beforeTrash } = subject.user;
	if (state === "purged") throw problem("wrong-state", { state });
	if (state === "trashed") await restore(subject);
	if (state === "banned") await unban(subject);
	if (state === "trashed" && beforeTrash === "banned")
		await unban({ ...subject, user: { ...subject.user, state: "banned", beforeTrash: null } });
};

const changeTo = (state: BulkState, reason: string): Change => {
	switch (state) {
		case "active":
			return open;
		case "banned":
			return unlessIn(state, ban({ reason }));
		case "trashed":
			return unlessIn(state, trash);
		case "mustChangePassword":
			return unlessIn(state, resetPassword());
		default:
			return state satisfies never;
	}
};

/** The work: begun again after a crash it finds what is done already as it should be. */
export async function bulkStatus({ state, reason, ids, doer: who }: BulkStatus, tools: WorkTools): Promise<BulkResult> {
	const { broker, db, id: target, signal, progress } = tools;
	const doer: Doer = { ...who, broker };
	const failed: BulkResult["failed"] = [];
	for (let from = 0; from < ids.length; from += PORTION) {
		signal.throwIfAborted();
		for (const id of ids.slice(from, from + PORTION)) {
			try {
				await db.tx((tx) => changeUser(identityNode(broker), tx, doer, id, changeTo(state, reason)));
			} catch (error) {
				if (!isProblem(error) || error.code >= 500) throw error;
				failed.push({ id, code: error.type });
			}
		}
		await progress(Math.min(from + PORTION, ids.length));
	}
	const after = { state, total: ids.length, failed };
	const entry = { actor: doer.by?.accountId ?? null, action: "users.bulkStatus", target, requestId: doer.requestId, after };
	await addAudit(db, entry, new Date());
	return { failed };
}
