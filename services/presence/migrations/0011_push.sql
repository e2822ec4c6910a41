-- parts: work
-- Up Migration

-- Where profiles are reached. `token`: what FCM calls it, or the endpoint of a Web Push subscription; `keys` are the browser's.
create table devices (
	id uuid primary key,
	profile_id uuid not null,
	-- Who signs out is not pushed to any more.
	session_id text not null,
	kind text not null check (kind in ('ios', 'android', 'web')),
	token text not null,
	hash bytea not null,
	keys jsonb,
	created_at timestamptz not null,
	updated_at timestamptz not null
);
create unique index devices_hash on devices (hash);
create index devices_of on devices (profile_id, updated_at desc);
create index devices_session on devices (session_id);

-- What is pushed to which device. `tried_at`: it may have arrived; so it is withdrawn when it is read elsewhere.
create table pushes (
	notification_id uuid not null,
	device_id uuid not null references devices on delete cascade,
	planned_at timestamptz not null,
	tried_at timestamptz,
	primary key (notification_id, device_id)
);
create index pushes_device on pushes (device_id);
create index pushes_planned on pushes (planned_at);

-- The pair of keys that browsers know us by (VAPID): one for all processes, for good.
create table vapid_keys (
	one boolean primary key default true check (one),
	public_key text not null,
	private_sealed text not null,
	created_at timestamptz not null
);

-- How far each broadcast has come: by the id of its work.
create table broadcasts (
	id uuid primary key,
	after uuid,
	done integer not null,
	told integer not null
);

-- Down Migration
drop table broadcasts;
drop table vapid_keys;
drop table pushes;
drop table devices;
