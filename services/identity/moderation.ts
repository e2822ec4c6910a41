// The consumer that writes down what moderators of groups and of the platform did to others: in the audit, beside what is done to accounts.
import { eachFact } from "../../mixins/node.ts";
import type { Tx } from "../../mixins/node.ts";
import type { Fact } from "../contracts/index.ts";
import { addAudit } from "./store/audit.ts";
import { accountOf } from "./store/profiles.ts";

type Membership = Fact<"groups.member.kicked" | "groups.member.banned" | "groups.member.unbanned">;

/** A deed about somebody's membership names the profile that did it; its account is looked up. */
const about = (action: string) => {
	return async ({ payload, requestId, at }: Membership, tx: Tx): Promise<void> => {
		const { groupId, byId, profileId } = payload;
		const actor = await accountOf(tx, byId);
		await addAudit(tx, { actor, action, target: groupId, requestId, detail: { office: "group", byId, profileId } }, new Date(at));
	};
};

export const moderation = eachFact({
	"groups.moderation.done": ({ payload, requestId, at }, tx) => {
		const { deed, groupId, accountId, ...detail } = payload;
		return addAudit(tx, { actor: accountId, action: `groups.${deed}`, target: groupId, requestId, detail }, new Date(at));
	},
	"groups.member.kicked": about("groups.member.kick"),
	"groups.member.banned": about("groups.member.ban"),
	"groups.member.unbanned": about("groups.member.unban"),
});
