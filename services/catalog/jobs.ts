// What waits for its time: pictures that nothing uses.
import { jobsOf } from "../../mixins/node.ts";

export const jobs = jobsOf("catalog", {});
