-- parts: room-log
-- Up Migration

-- What is remembered of a profile while nobody of it is here. A row is written when it comes and when it goes.
create table seen (
	profile_id uuid primary key,
	last_seen timestamptz not null,
	hidden boolean not null default false
);

-- Down Migration
drop table seen;
