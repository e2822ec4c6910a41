-- Up Migration

-- Profiles that were deleted. What comes late of them is not kept.
create table gone (
	profile_id uuid primary key,
	at timestamptz not null
);

-- Down Migration
drop table gone;
