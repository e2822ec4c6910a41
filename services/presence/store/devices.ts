// Devices, what is pushed to them, and the keys that browsers know us by.
import { createHash } from "node:crypto";
import type { Exported } from "../../../mixins/person/index.ts";
import type { Db, Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Device, DeviceKind, Subscription } from "../../contracts/devices.ts";

export interface DeviceRow {
	id: string;
	profileId: string;
	kind: DeviceKind;
	token: string;
	keys: Subscription["keys"] | null;
	createdAt: string;
	updatedAt: string;
}

const columns = `id, profile_id as "profileId", kind, token, keys, created_at as "createdAt", updated_at as "updatedAt"`;

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

export const viewDevice = ({ id, kind, token, keys, createdAt, updatedAt }: DeviceRow): Device => ({
	...{ id, kind, token, createdAt, updatedAt },
	...(keys ? { subscription: { endpoint: token, keys } } : {}),
});

/** It is this profile's from now on, whosever it was; what was on its way to it for others is forgotten. Undefined: the profile is gone. */
export async function saveDevice(
	tx: Tx,
	device: Omit<DeviceRow, "createdAt" | "updatedAt"> & { sessionId: string },
	now: Date,
): Promise<DeviceRow | undefined> {
	const { id, profileId, sessionId, kind, token, keys } = device;
	const hash = hashOf(token);
	await tx.query("delete from pushes where device_id in (select id from devices where hash = $1 and profile_id <> $2)", [hash, profileId]);
	const [row] = await tx.query<DeviceRow>(
		`insert into devices (id, profile_id, session_id, kind, token, hash, keys, created_at, updated_at)
		select $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::bytea, $7::jsonb, $8::timestamptz, $8::timestamptz
		where not exists (select 1 from gone where gone.profile_id = $2::uuid) and not exists (select 1 from erased_people e where e.id = $2::uuid)
		on conflict (hash) do update set
			created_at = case when devices.profile_id = excluded.profile_id then devices.created_at else excluded.created_at end,
			profile_id = excluded.profile_id, session_id = excluded.session_id, kind = excluded.kind, keys = excluded.keys, updated_at = excluded.updated_at
		returning ${columns}`,
		[id, profileId, sessionId, kind, token, hash, keys === null ? null : JSON.stringify(keys), now],
	);
	return row;
}

/** Those that were silent longest go, so that no more are left than that. */
export async function trimDevices(tx: Tx, profileId: string, most: number): Promise<void> {
	await tx.query(
		"delete from devices where id in (select id from devices where profile_id = $1 order by updated_at desc, id desc offset $2)",
		[profileId, most],
	);
}

export const devicesOf = (db: Queryable, profileId: string): Promise<DeviceRow[]> =>
	db.query(`select ${columns} from devices where profile_id = $1 order by updated_at desc, id desc`, [profileId], "devices-of");

/** By its token, its endpoint or its id; false where the profile has none of that name. */
export async function removeDevice(db: Queryable, profileId: string, name: string): Promise<boolean> {
	const rows = await db.query("delete from devices where profile_id = $1 and (hash = $2 or id::text = lower($3)) returning 1", [
		profileId,
		hashOf(name),
		name,
	]);
	return rows.length > 0;
}

/** Nobody is there any more; unless it was registered anew since. */
export async function dropDead(db: Queryable, device: DeviceRow): Promise<void> {
	await db.query("delete from devices where id = $1 and updated_at = $2", [device.id, device.updatedAt]);
}

/** Its user has signed out. */
export async function dropSession(db: Queryable, sessionId: string): Promise<void> {
	await db.query("delete from devices where session_id = $1", [sessionId]);
}

export async function findDevice(db: Queryable, id: string): Promise<DeviceRow | undefined> {
	const [row] = await db.query<DeviceRow>(`select ${columns} from devices where id = $1`, [id], "device-find");
	return row;
}

/** Of the profiles, those that have a device of these kinds. */
export async function reachable(db: Queryable, profileIds: readonly string[], kinds: readonly DeviceKind[]): Promise<Set<string>> {
	const rows = await db.query<{ id: string }>(
		"select distinct profile_id as id from devices where profile_id = any($1::uuid[]) and kind = any($2::text[])",
		[profileIds, kinds],
		"devices-reachable",
	);
	return new Set(rows.map(({ id }) => id));
}

export interface Push {
	notificationId: string;
	deviceId: string;
	kind: DeviceKind;
}

/** To each device of the profile. What was pushed before of the same is known to have been. */
export function planPushes(tx: Tx, notificationId: string, profileId: string, now: Date): Promise<Push[]> {
	return tx.query(
		`with planned as (
			insert into pushes (notification_id, device_id, planned_at) select $1, id, $3 from devices where profile_id = $2
			on conflict (notification_id, device_id) do update set planned_at = excluded.planned_at returning device_id
		)
		select $1::text as "notificationId", d.id as "deviceId", d.kind from planned join devices d on d.id = planned.device_id`,
		[notificationId, profileId, now],
		"pushes-plan",
	);
}

/** From now on it may have arrived. False: it was taken back, or its device is gone. */
export async function tryPush(db: Queryable, { notificationId, deviceId }: Omit<Push, "kind">, now: Date): Promise<boolean> {
	const rows = await db.query(
		"update pushes set tried_at = $3 where notification_id = $1 and device_id = $2 returning 1",
		[notificationId, deviceId, now],
		"push-try",
	);
	return rows.length > 0;
}

/** Nobody takes it back until the transaction ends. False: somebody has. */
export async function holdPush(tx: Tx, { notificationId, deviceId }: Omit<Push, "kind">): Promise<boolean> {
	const rows = await tx.query(
		"select 1 from pushes where notification_id = $1 and device_id = $2 for update",
		[notificationId, deviceId],
		"push-hold",
	);
	return rows.length > 0;
}

/** Takes back what was planned; answers it, and whether it may have arrived. */
export function takeBack(tx: Tx, notificationIds: readonly string[]): Promise<(Push & { tried: boolean })[]> {
	return tx.query(
		`delete from pushes p using devices d where d.id = p.device_id and p.notification_id = any($1::uuid[])
		returning p.notification_id as "notificationId", p.device_id as "deviceId", d.kind, p.tried_at is not null as tried`,
		[notificationIds],
		"pushes-take-back",
	);
}

export async function forgetPushes(db: Queryable, before: Date): Promise<void> {
	await db.query("delete from pushes where planned_at < $1", [before]);
}

export interface VapidRow {
	publicKey: string;
	privateSealed: string;
}

export async function findVapid(db: Queryable): Promise<VapidRow | undefined> {
	const [row] = await db.query<VapidRow>(`select public_key as "publicKey", private_sealed as "privateSealed" from vapid_keys`);
	return row;
}

/** Of several who make one at once, the first has made it; answers that one. */
export async function keepVapid(db: Db, made: VapidRow, now: Date): Promise<VapidRow> {
	await db.query("insert into vapid_keys (public_key, private_sealed, created_at) values ($1, $2, $3) on conflict do nothing", [
		made.publicKey,
		made.privateSealed,
		now,
	]);
	return (await findVapid(db)) as VapidRow;
}

/** What a person's devices are, for an export. */
export const devicesOfPerson = (db: Queryable, profileIds: readonly string[], after: string | null, limit: number): Promise<Exported[]> =>
	db.query<Exported>(
		`select id::text as key, id, profile_id as "profileId", kind, token, keys, created_at as "createdAt", updated_at as "updatedAt"
		from devices where profile_id = any($1::uuid[]) and ($2::uuid is null or id > $2) order by id limit $3`,
		[profileIds, after, limit],
	);
