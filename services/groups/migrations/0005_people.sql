-- Up Migration

-- Profiles that are called otherwise than a token may say, and those that are gone (no name): tokens live on for minutes.
create table people (
	profile_id uuid primary key,
	display_name text,
	at timestamptz not null
);
create index join_requests_profile on join_requests (profile_id);

-- Down Migration
drop index join_requests_profile;
drop table people;
