// Long work of any node, under one path: its id says which node has it.
import { finder } from "../../mixins/work/id.ts";
import { service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { ActionName } from "../contracts/index.ts";
import { allActions, nodeNames } from "../contracts/index.ts";
import { identityNode } from "./node.ts";

type Working = Extract<ActionName, `${string}.job`> extends `${infer N}.job` ? N : never;
const withWork = nodeNames.filter((node): node is Working => Object.hasOwn(allActions, `${node}.job`));
const nodeOfJob = finder(withWork);

export default service("work", {
	node: identityNode,

	actions: {
		async show(ctx) {
			const node = nodeOfJob(ctx.params.jobId);
			if (!node) throw problem("not-found");
			return ctx.call(`${node}.job`, ctx.params);
		},
	},
});
