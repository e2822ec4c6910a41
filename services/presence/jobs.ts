// What the presence node does at its times: the ladder of notifications, digests, mails.
import type { JobTools } from "../../mixins/jobs/index.ts";
import { jobsOf } from "../../mixins/node.ts";
import { presenceWork } from "./broadcast/work.ts";
import { climb, digest } from "./notify/ladder.ts";
import { learn } from "./notify/learn.ts";
import { presenceMail } from "./notify/mails.ts";
import { deliver } from "./push/deliver.ts";
import { forgetBroadcasts } from "./store/broadcasts.ts";
import { forgetPushes } from "./store/devices.ts";
import { forgetOld } from "./store/notifications.ts";

/** Notifications are kept for a year. */
const KEPT_MS = 366 * 86_400_000;
/** A push that nobody has read for so long is left where it is. */
const PUSHES_KEPT_MS = 60 * 86_400_000;

export const presenceJobs = jobsOf(
	"presence",
	{
		...presenceWork.tasks,
		climb,
		digest,
		learn,
		mail: presenceMail.task,
		pushWeb: deliver,
		pushFcm: deliver,
		forget: {
			every: "daily",
			async run({ at, db }: JobTools) {
				await forgetOld(db, new Date(at.getTime() - KEPT_MS));
				await forgetBroadcasts(db);
				await forgetPushes(db, new Date(at.getTime() - PUSHES_KEPT_MS));
			},
		},
	},
	// A mail server that hangs holds up no push, nor one push service the other.
	{ apart: { mail: 2, pushWeb: 6, pushFcm: 4, work: 2 } },
);
