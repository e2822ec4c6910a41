-- parts: room-log
-- Up Migration

-- Groups: projections of their logs, written in the transaction of the events.
create table groups (
	id uuid primary key,
	name text not null,
	description text not null,
	is_public boolean not null,
	creator_id uuid not null,
	member_count integer not null,
	created_at timestamptz not null,
	updated_at timestamptz not null
);
create index groups_public on groups (id desc) where is_public;

create table members (
	group_id uuid not null references groups (id) on delete cascade,
	profile_id uuid not null,
	display_name text not null,
	role text not null,
	joined_at timestamptz not null,
	joined_seq bigint not null,
	read_seq bigint not null,
	primary key (group_id, profile_id)
);
create index members_profile on members (profile_id, group_id desc);
create index members_order on members (group_id, joined_seq, profile_id);

create table join_requests (
	group_id uuid not null references groups (id) on delete cascade,
	profile_id uuid not null,
	display_name text not null,
	requested_at timestamptz not null,
	primary key (group_id, profile_id)
);

create table message_states (
	group_id uuid not null,
	seq bigint not null,
	content text,
	edited_at timestamptz,
	deleted_at timestamptz,
	primary key (group_id, seq)
);

create table reactions (
	group_id uuid not null,
	seq bigint not null,
	emoji text not null,
	profile_id uuid not null,
	at timestamptz not null,
	primary key (group_id, seq, emoji, profile_id)
);

create table invites (
	id uuid primary key,
	token text not null unique,
	group_id uuid not null references groups (id) on delete cascade,
	inviter_id uuid not null,
	invitee_id uuid not null,
	role text not null,
	state text not null,
	expires_at timestamptz not null,
	created_at timestamptz not null,
	ended_at timestamptz
);
create unique index invites_open on invites (group_id, invitee_id) where state = 'pending';
create index invites_group on invites (group_id, id desc);
create index invites_invitee on invites (invitee_id, id desc);

-- Down Migration
drop table invites, reactions, message_states, join_requests, members, groups;
