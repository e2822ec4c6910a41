// Many accounts put into one state: portion after portion, each account in a transaction of its own. A portion that is done again
// finds what is done already as it should be.
import type { ServiceBroker } from "moleculer";
import { isProblem, problem } from "../contracts/errors.ts";
import type { Params } from "../contracts/index.ts";
import { identityJobs } from "./jobs.ts";
import type { IdentityNode } from "./node.ts";
import { addAudit } from "./store/audit.ts";
import type { Change, Doer } from "./users.ts";
import { ban, changeUser, resetPassword, restore, trash, unban } from "./users.ts";

type BulkState = Params<"users.bulkStatus">["state"];

export interface BulkStatus {
	jobId: string;
	state: BulkState;
	reason: string;
	/** Those that are still to be changed. */
	ids: string[];
	done: number;
	failed: { id: string; code: string }[];
	doer: Omit<Doer, "broker">;
}

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

/** Of the job: does a portion, and plans the next one, or notes how it ended. */
export async function bulkPortion(node: IdentityNode, broker: ServiceBroker, work: BulkStatus): Promise<void> {
	const doer: Doer = { ...work.doer, broker };
	const failed = [...work.failed];
	const portion = work.ids.slice(0, PORTION);
	for (const id of portion) {
		try {
			await node.db.tx((tx) => changeUser(node, tx, doer, id, changeTo(work.state, work.reason)));
		} catch (error) {
			if (!isProblem(error)) throw error;
			failed.push({ id, code: error.type });
		}
	}
	const next = { ...work, ids: work.ids.slice(PORTION), done: work.done + portion.length, failed };
	await node.db.tx(async (tx) => {
		if (next.ids.length > 0) return identityJobs.plan(tx, "bulkStatus", next, { key: work.jobId });
		const after = { state: work.state, total: next.done, failed };
		const entry = { actor: doer.by?.accountId ?? null, action: "users.bulkStatus", target: work.jobId, requestId: doer.requestId, after };
		await addAudit(tx, entry, new Date());
	});
}
