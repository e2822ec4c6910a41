// What the groups node does by itself, at its times.
import { randomUUID } from "node:crypto";
import { callAction, jobsOf } from "../../mixins/node.ts";
import type { JobTools } from "../../mixins/jobs/index.ts";
import { isProblem } from "../contracts/errors.ts";
import { groupsMail } from "./invites/mails.ts";

export const groupsJobs = jobsOf("groups", {
	/** An invite's time is over: its group decides, where its owner is. */
	async expireInvite(invite: { groupId: string; inviteId: string }, { broker }: JobTools) {
		try {
			await callAction(broker, "invites.expire", invite, { meta: { requestId: randomUUID() } });
		} catch (error) {
			// The group is gone meanwhile, and its invites with it.
			if (!isProblem(error, "not-found")) throw error;
		}
	},
	mail: groupsMail.task,
});
