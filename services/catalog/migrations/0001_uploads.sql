-- parts: jobs
-- Up Migration

-- The bytes of pictures, by what they are: whoever sends the same picture, it is kept once. A row is there before its bytes, and
-- goes in the transaction that deletes them.
create table files (
	digest bytea primary key, -- SHA-256 of the largest size
	type text not null,
	width integer not null, -- of the largest size, upright
	height integer not null,
	small integer not null, -- bytes of each size
	medium integer not null,
	large integer not null
);

create table uploads (
	id uuid primary key,
	owner_id uuid not null, -- the profile that sent it
	account_id uuid not null,
	digest bytea not null references files,
	created_at timestamptz not null,
	-- When it came, or the last of its uses ended, or somebody asked what it is; null while something shows it. What nothing
	-- shows for a day goes.
	unused_since timestamptz
);
create index uploads_of on uploads (account_id, id);
create index uploads_with on uploads (digest);
create index uploads_unused on uploads (unused_since) where unused_since is not null;

-- What shows a picture, as facts tell it: a profile or a group as its avatar, a message among its attachments.
create table uses (
	kind text not null,
	place text not null, -- the id of the profile or group; of a message, its group's and its number there
	upload_id uuid not null references uploads on delete cascade,
	primary key (kind, place, upload_id)
);
create index uses_of on uses (upload_id);

-- An upload on its way, piece by piece, until it is made a picture of. After a crash whoever sent it sends it again.
create unlogged table pieces (
	staged uuid not null,
	no integer not null,
	account_id uuid not null,
	bytes bytea not null,
	at timestamptz not null,
	primary key (staged, no)
);
-- They are compressed already.
alter table pieces alter column bytes set storage external;
create index pieces_at on pieces (at);

-- Where the bytes are: the name of the folder that holds them. Without it, a process would look for them in another.
create table folder (
	id uuid not null,
	single boolean primary key default true check (single)
);

-- Down Migration
drop table folder;
drop table pieces;
drop table uses;
drop table uploads;
drop table files;
