// What the identity node does by itself, at its times.
import { jobsOf } from "../../mixins/node.ts";
import { answerAsked } from "./asked.ts";
import { identityMail } from "./mails.ts";
import { sweepFederation } from "./store/federation.ts";
import { sweep } from "./store/sweep.ts";

export const identityJobs = jobsOf("identity", {
	sweep: {
		every: "hourly",
		async run({ at, db }) {
			await sweep(db, at);
			await sweepFederation(db, at);
		},
	},
	mail: identityMail.task,
	asked: answerAsked,
});
