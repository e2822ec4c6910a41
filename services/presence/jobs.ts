// What the presence node does at its times: the ladder of notifications, digests, mails.
import type { JobTools } from "../../mixins/jobs/index.ts";
import { jobsOf } from "../../mixins/node.ts";
import { climb, digest } from "./notify/ladder.ts";
import { learn } from "./notify/learn.ts";
import { presenceMail } from "./notify/mails.ts";
import { forgetOld } from "./store/notifications.ts";

/** Notifications are kept for a year. */
const KEPT_MS = 366 * 86_400_000;

export const presenceJobs = jobsOf(
	"presence",
	{
		climb,
		digest,
		learn,
		mail: presenceMail.task,
		forget: { every: "daily", run: ({ at, db }: JobTools): Promise<void> => forgetOld(db, new Date(at.getTime() - KEPT_MS)) },
	},
	// A mail server that hangs holds up no push.
	{ apart: { mail: 2 } },
);
