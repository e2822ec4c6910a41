// What the identity node does by itself, at its times.
import type { JobTools } from "../../mixins/jobs/index.ts";
import type { OldMails } from "../../mixins/mail/index.ts";
import { forgetMails } from "../../mixins/mail/index.ts";
import { jobsOf } from "../../mixins/node.ts";
import { answerAsked } from "./mail/asked.ts";
import { identityMail } from "./mail/mails.ts";
import { identityNode, keysChanged } from "./node.ts";
import { sweepExports } from "./store/exports.ts";
import { sweepFederation } from "./store/federation.ts";
import { sweep } from "./store/sweep.ts";
import { endBan } from "./users/users.ts";
import { identityWork } from "./privacy/work.ts";

export const identityJobs = jobsOf("identity", {
	...identityWork.tasks,
	/** A ban's time is over. */
	endBan: ({ accountId }: { accountId: string }, { broker, cause }: JobTools): Promise<void> =>
		endBan(identityNode(broker), { broker, ...cause }, accountId),
	keys: {
		every: "hourly",
		async run({ at, broker }) {
			if (await identityNode(broker).signing.ensureKey(at)) await keysChanged(broker);
		},
	},
	sweep: {
		every: "hourly",
		async run({ at, db }) {
			await sweep(db, at);
			await sweepFederation(db, at);
			await sweepExports(db, at);
		},
	},
	mail: identityMail.task,
	forgetMails: (mails: OldMails, { broker }: JobTools) => forgetMails(broker, mails),
	asked: answerAsked,
});
