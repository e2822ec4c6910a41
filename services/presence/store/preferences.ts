// How people want to be told, and what they have muted.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Digest } from "../../contracts/notifications.ts";
import type { Wishes } from "../domain/kinds.ts";
import type { QuietHours } from "../domain/local-time.ts";
import type { QuietColumns } from "./people.ts";
import { quietOf } from "./people.ts";

export interface Chosen {
	wishes: Wishes;
	quiet: QuietHours | null;
	/** Null: the account's. */
	timeZone: string | null;
	digest: Digest;
}

/** What somebody has chosen, which nobody else changes until the transaction ends; undefined where it is nothing. */
export async function holdChosen(tx: Tx, profileId: string): Promise<Chosen | undefined> {
	await tx.query("select pg_advisory_xact_lock(hashtextextended('preferences ' || $1, 0))", [profileId], "preferences-lock");
	const [row] = await tx.query<Omit<Chosen, "quiet"> & QuietColumns>(
		`select kinds as wishes, time_zone as "timeZone", digest, quiet_from as "quietFrom", quiet_to as "quietTo"
		from preferences where profile_id = $1`,
		[profileId],
		"preferences-find",
	);
	if (!row) return undefined;
	const { quietFrom, quietTo, ...rest } = row;
	return { ...rest, quiet: quietOf({ quietFrom, quietTo }) };
}

export async function saveChosen(tx: Tx, profileId: string, { wishes, quiet, timeZone, digest }: Chosen): Promise<void> {
	await tx.query(
		`insert into preferences (profile_id, kinds, quiet_from, quiet_to, time_zone, digest) values ($1, $2, $3, $4, $5, $6)
		on conflict (profile_id) do update set kinds = $2, quiet_from = $3, quiet_to = $4, time_zone = $5, digest = $6`,
		[profileId, JSON.stringify(wishes), quiet?.from ?? null, quiet?.to ?? null, timeZone, digest],
	);
}

/** What is muted now. */
export const mutesOf = (db: Queryable, profileId: string, now: Date): Promise<{ groupId: string; until: string | null }[]> =>
	db.query(
		`select group_id as "groupId", until from muted_groups where profile_id = $1 and (until is null or until > $2) order by group_id`,
		[profileId, now],
		"mutes-of",
	);

/** Exactly these are muted from now on: those that were stay as they are, until when they are. */
export async function setMutes(tx: Tx, profileId: string, groupIds: readonly string[], now: Date): Promise<void> {
	await tx.query("delete from muted_groups where profile_id = $1 and (not group_id = any($2::uuid[]) or until <= $3)", [
		profileId,
		groupIds,
		now,
	]);
	await tx.query(
		`insert into muted_groups (profile_id, group_id) select $1, id from unnest($2::uuid[]) as g(id)
		on conflict do nothing`,
		[profileId, groupIds],
	);
}
