-- parts: jobs
-- Up Migration

-- What is known of profiles, to speak to them: how they are called, and whose they are.
create table people (
	profile_id uuid primary key,
	account_id uuid not null,
	display_name text not null
);
create index people_of on people (account_id, profile_id);

-- What their accounts have set.
create table account_settings (
	account_id uuid primary key,
	language text,
	time_zone text
);

-- How far the profiles that were there before this node kept people have been learned; one row, until all are.
create table learning (
	one boolean primary key default true check (one),
	after uuid
);
insert into learning default values;

-- Each profile's inbox. `vals` is what `title` and `body` are made of; `seq` is of the event that told it last. What is not `shown` is
-- told by push or mail alone.
create table notifications (
	id uuid primary key,
	profile_id uuid not null,
	seq bigint not null,
	kind text not null,
	wording text not null,
	language text not null,
	vals jsonb not null,
	title text not null,
	body text not null,
	data jsonb not null,
	-- What told it last; causes has all.
	cause text not null,
	-- Whose doing it was.
	by_id uuid,
	group_id uuid,
	message_seq bigint,
	thread text,
	count integer not null,
	shown boolean not null,
	created_at timestamptz not null,
	read_at timestamptz,
	-- What comes next of it: push or mail. Null: nothing.
	step text,
	-- waiting: for the digest; sent.
	mail text
);
create index notifications_inbox on notifications (profile_id, seq desc) where shown;
create index notifications_unread on notifications (profile_id) where read_at is null;
create unique index notifications_thread on notifications (profile_id, thread) where read_at is null and thread is not null;
create index notifications_by on notifications (by_id);
create index notifications_created on notifications (created_at);

-- What notified somebody once never does again, also when the notification is gone.
create table causes (
	profile_id uuid not null,
	cause text not null,
	notification_id uuid not null,
	at timestamptz not null,
	primary key (profile_id, cause)
);
create index causes_cause on causes (cause text_pattern_ops);
create index causes_at on causes (at);

-- `kinds` holds what somebody has said, not what holds by default. No time zone: that of the account.
create table preferences (
	profile_id uuid primary key,
	kinds jsonb not null,
	quiet_from text,
	quiet_to text,
	time_zone text,
	digest text not null
);

-- `until` null: for good.
create table muted_groups (
	profile_id uuid not null,
	group_id uuid not null,
	until timestamptz,
	primary key (profile_id, group_id)
);
create index muted_groups_of on muted_groups (group_id);

create table blocks (
	profile_id uuid not null,
	blocked_id uuid not null,
	primary key (profile_id, blocked_id)
);
create index blocks_of on blocks (blocked_id);

-- Groups that are talks of two.
create table direct_talks (
	group_id uuid primary key,
	profile_ids uuid[] not null
);
create index direct_talks_of on direct_talks using gin (profile_ids);

-- Down Migration
drop table direct_talks;
drop table blocks;
drop table muted_groups;
drop table preferences;
drop table causes;
drop table notifications;
drop table learning;
drop table account_settings;
drop table people;
