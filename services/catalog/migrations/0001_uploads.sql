-- parts: jobs
-- Up Migration

-- Pictures that somebody has sent. Several may have the same bytes: those are kept once, by what they are (files).
create table files (
	digest bytea primary key, -- SHA-256 of the largest size
	type text not null,
	width integer not null, -- of the largest size, upright
	height integer not null,
	sizes integer[] not null, -- bytes of small, medium, large
	created_at timestamptz not null
);

create table uploads (
	id uuid primary key,
	owner_id uuid not null, -- the profile that sent it
	account_id uuid not null,
	digest bytea not null references files,
	bytes bigint not null, -- of all sizes: what it counts for its account
	created_at timestamptz not null,
	-- When the last of its uses ended, or it came: null while something uses it. What nothing uses for a day goes.
	unused_since timestamptz
);
create index uploads_of on uploads (account_id, id);
create index uploads_by on uploads (owner_id);
create index uploads_with on uploads (digest);
create index uploads_unused on uploads (unused_since) where unused_since is not null;

-- What shows a picture: a profile or group as its avatar, a message among its attachments. Filled by facts.
create table uses (
	kind text not null,
	place text not null, -- the profile's or group's id; for a message, its group's and its own
	upload_id uuid not null,
	primary key (kind, place, upload_id)
);
create index uses_of on uses (upload_id);

-- Down Migration
drop table uses;
drop table uploads;
drop table files;
