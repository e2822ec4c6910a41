// What this node keeps of persons: when they were seen, what they were told, how they want to be told; and their names with others.
import type { PersonalData } from "../../mixins/person/index.ts";
import { without } from "../../mixins/person/forget.ts";
import type { Tx } from "../../mixins/postgres.ts";
import { DELETED } from "../contracts/persons.ts";
import { askingOf } from "./domain/causes.ts";
import { say } from "./domain/wordings.ts";
import type { PresenceNode } from "./node.ts";
import { devicesOfPerson } from "./store/devices.ts";
import { end } from "./notify/over.ts";
import { forgetProfiles, noticesOf, seenOf, unbury } from "./store/seen.ts";
import type { NotificationRow } from "./store/notifications.ts";
import {
	addressOf,
	anonymise,
	anonymiseEvents,
	forgetAccount,
	forgetCauses,
	mutedGroupsOf,
	notificationsOf,
	preferencesOf,
	tellingOf,
} from "./store/persons.ts";

const PORTION = 200;

/** What they did stays in the inboxes of others, as nobody's doing. Answers whose. */
async function forgetDoings(tx: Tx, profileIds: readonly string[], alive: () => Promise<unknown>): Promise<Set<string>> {
	const rooms = new Set<string>();
	const ids = new Set(profileIds);
	for (;;) {
		const rows = await tellingOf(tx, profileIds, PORTION);
		for (const row of rows) {
			const vals = { ...row.vals, ...(row.vals.name === undefined ? {} : { name: DELETED.displayName }) };
			const wording = row.wording === "wrote" && row.count > 1 ? "wroteMore" : row.wording;
			const words = say(wording, row.language, { ...vals, count: row.count });
			const data = without(row.data as Parameters<typeof without>[0], ids) as NotificationRow["data"];
			await anonymise(tx, { id: row.id, vals, ...words, data });
			await anonymiseEvents(tx, row.profileId, row.id, words, profileIds, DELETED.profileId);
			rooms.add(row.profileId);
		}
		if (rows.length < PORTION) return rooms;
		await alive();
	}
}

export const persons: PersonalData<PresenceNode> = {
	exports: {
		seen: ({ profileIds }, after, limit, { db }) => seenOf(db, profileIds, after, limit),
		notices: ({ profileIds }, after, limit, { db }) => noticesOf(db, profileIds, after, limit),
		notifications: ({ profileIds }, after, limit, { db }) => notificationsOf(db, profileIds, after, limit),
		preferences: ({ profileIds }, after, limit, { db }) => preferencesOf(db, profileIds, after, limit),
		mutedGroups: ({ profileIds }, after, limit, { db }) => mutedGroupsOf(db, profileIds, after, limit),
		devices: ({ profileIds }, after, limit, { db }) => devicesOfPerson(db, profileIds, after, limit),
		addressedAs: ({ profileIds }, after, limit, { db }) => addressOf(db, profileIds, after, limit),
	},
	async erase({ accountId, profileIds }, tx, { node, broker, alive }) {
		await forgetProfiles(tx, profileIds);
		await forgetAccount(tx, accountId);
		const rooms = await forgetDoings(tx, profileIds, alive);
		// Nobody can let them in any more.
		for (const profileId of profileIds) await end(tx, broker, { cause: askingOf(profileId), beginning: true, as: "gone" });
		await forgetCauses(tx, profileIds);
		// Who was erased is known by that.
		await unbury(tx, profileIds);
		tx.afterCommit(() => node.log.forgetAll((key) => profileIds.includes(key) || rooms.has(key)));
	},
};
