// The consumer that writes down what moderators of groups and of the platform did to others: in the audit, beside what is done to accounts.
import { eachFact } from "../../mixins/node.ts";
import { addAudit } from "./store/audit.ts";

export const moderation = eachFact({
	"groups.moderation.done": ({ payload, requestId, at }, tx) => {
		const { deed, groupId, accountId, ...detail } = payload;
		return addAudit(tx, { actor: accountId, action: `groups.${deed}`, target: groupId, requestId, detail }, new Date(at));
	},
});
