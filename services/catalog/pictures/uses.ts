// What shows which picture, as facts tell it: as long as something does, it is kept.
import { eachFact } from "../../../mixins/node.ts";
import { dropUsesIn, setUses } from "../store/uses.ts";

/** As far as the fact says it: one that was told before there were pictures has none. */
const avatarOf = (payload: object): string[] => ("avatar" in payload && typeof payload.avatar === "string" ? [payload.avatar] : []);
const attachmentsOf = (payload: object): string[] =>
	"attachments" in payload && Array.isArray(payload.attachments) ? payload.attachments.map(String) : [];
const placeOf = (groupId: string, seq: number): string => `${groupId} ${seq}`;

export const uses = eachFact({
	"identity.profile.updated": ({ at, payload }, tx) => setUses(tx, "profile", payload.profileId, avatarOf(payload), new Date(at)),
	"identity.profile.deleted": ({ at, payload }, tx) => setUses(tx, "profile", payload.profileId, [], new Date(at)),

	"groups.group.created": ({ at, payload }, tx) => setUses(tx, "group", payload.groupId, avatarOf(payload), new Date(at)),
	"groups.group.updated": ({ at, payload }, tx) => setUses(tx, "group", payload.groupId, avatarOf(payload), new Date(at)),
	async "groups.group.deleted"({ at, payload }, tx) {
		await setUses(tx, "group", payload.groupId, [], new Date(at));
		await dropUsesIn(tx, payload.groupId, new Date(at));
	},

	"groups.message.posted": ({ at, payload }, tx) =>
		setUses(tx, "message", placeOf(payload.groupId, payload.seq), attachmentsOf(payload), new Date(at)),
	async "groups.message.edited"({ at, payload }, tx) {
		// An edit that says nothing of attachments has changed none.
		if (!("attachments" in payload)) return;
		await setUses(tx, "message", placeOf(payload.groupId, payload.target), attachmentsOf(payload), new Date(at));
	},
	"groups.message.deleted": ({ at, payload }, tx) => setUses(tx, "message", placeOf(payload.groupId, payload.target), [], new Date(at)),
});
