// How somebody wants to be told: what they chose over what holds by default.
import type { Tx } from "../../../mixins/postgres.ts";
import { acceptTimeZone } from "../../../mixins/time-zone.ts";
import { problem } from "../../contracts/errors.ts";
import type { Params } from "../../contracts/index.ts";
import type { Kind, Preferences } from "../../contracts/notifications.ts";
import { allChannels, wished } from "../domain/kinds.ts";
import type { Wishes } from "../domain/kinds.ts";
import type { Chosen } from "../store/preferences.ts";
import { holdChosen, mutesOf, saveChosen, setMutes } from "../store/preferences.ts";
import { mannersOf } from "../store/people.ts";
import type { Manner } from "../store/people.ts";

export async function preferencesOf(tx: Tx, profileId: string, now: Date): Promise<Preferences> {
	const { wishes, quiet, timeZone, digest } = (await mannersOf(tx, [profileId])).get(profileId) as Manner;
	const mutes = await mutesOf(tx, profileId, now);
	return {
		kinds: allChannels(wishes),
		quietHours: quiet,
		timeZone,
		digest,
		mutedGroups: mutes.map(({ groupId }) => groupId),
		mutedUntil: Object.fromEntries(mutes.flatMap(({ groupId, until }) => (until === null ? [] : [[groupId, until]]))),
	};
}

/** What is chosen before anything was. */
async function chosenOf(tx: Tx, profileId: string): Promise<Chosen> {
	const held = await holdChosen(tx, profileId);
	if (held) return held;
	const { digest } = (await mannersOf(tx, [profileId])).get(profileId) as Manner;
	return { wishes: {}, quiet: null, timeZone: null, digest };
}

/** What is left out stays as it is. Throws 422 `validation`. */
export async function savePreferences(tx: Tx, profileId: string, said: Params<"notifications.savePreferences">, now: Date): Promise<void> {
	const { kinds, quietHours, timeZone, digest, mutedGroups } = said;
	if (timeZone) acceptTimeZone(timeZone);
	if (quietHours && quietHours.from === quietHours.to)
		throw problem("validation", { errors: [{ path: "quietHours.to", code: "same", message: "must be another time than `from`" }] });
	const before = await chosenOf(tx, profileId);
	const { accountTimeZone } = (await mannersOf(tx, [profileId])).get(profileId) as Manner;
	// As it was read, it still follows the account's.
	const follows = before.timeZone === null && timeZone === accountTimeZone;
	await saveChosen(tx, profileId, {
		wishes: kinds ? wished(before.wishes, kinds as Wishes) : before.wishes,
		quiet: quietHours === undefined ? before.quiet : quietHours,
		timeZone: timeZone === undefined || follows ? before.timeZone : timeZone,
		digest: digest ?? before.digest,
	});
	if (mutedGroups) await setMutes(tx, profileId, [...new Set(mutedGroups)], now);
}

/** No mails of these kinds any more. Twice is once. */
export async function callOff(tx: Tx, profileId: string, kinds: readonly Kind[]): Promise<void> {
	const before = await chosenOf(tx, profileId);
	const said = Object.fromEntries(kinds.map((name) => [name, { email: false }])) as Wishes;
	await saveChosen(tx, profileId, { ...before, wishes: wished(before.wishes, said) });
}
