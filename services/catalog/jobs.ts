// What waits for its time.
import { jobsOf } from "../../mixins/node.ts";
import type { JobTools } from "../../mixins/jobs/index.ts";
import { dropFile, sweep } from "./pictures/sweep.ts";

export const jobs = jobsOf("catalog", {
	/** Files whose uploads were deleted just now: gone at once, not with the next sweep. */
	dropFiles: async ({ digests }: { digests: string[] }, tools) => {
		for (const digest of digests) await dropFile(Buffer.from(digest, "hex"), tools);
	},
	sweep: { every: "hourly", run: (tools: JobTools) => sweep(tools) },
});
