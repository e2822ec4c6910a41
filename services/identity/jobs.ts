// What the identity node does by itself, at its times.
import { jobsOf } from "../../mixins/jobs/index.ts";
import { database } from "../../mixins/postgres.ts";
import { sweep } from "./store/sweep.ts";

export const identityJobs = jobsOf("identity", {
	sweep: { every: "hourly", run: ({ at }) => sweep(database("identity"), at) },
});
