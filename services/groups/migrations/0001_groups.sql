-- Up Migration

-- Facts: what this node tells (outbox), what it hears (inbox). One text for every node; see mixins/facts.
create table outbox (
	id bigint generated always as identity,
	fact_id uuid not null,
	type text not null,
	version integer not null,
	aggregate text not null,
	at timestamptz not null,
	request_id text,
	actor uuid,
	payload json not null,
	sent_at timestamptz,
	primary key (id, at)
) partition by range (at);
create table outbox_default partition of outbox default;
create index outbox_unsent on outbox (id) where sent_at is null;
create function outbox_told() returns trigger language plpgsql as $$
begin
	perform pg_notify(tg_table_schema || '_outbox', '');
	return null;
end $$;
create trigger outbox_told after insert on outbox for each statement execute function outbox_told();

create table inbox (
	consumer text not null,
	fact_id uuid not null,
	position bigint generated always as identity,
	type text not null,
	version integer not null,
	aggregate text not null,
	at timestamptz not null,
	request_id text,
	actor uuid,
	payload json not null,
	received_at timestamptz not null,
	handled_at timestamptz,
	tries integer not null default 0,
	next_try_at timestamptz,
	dead_at timestamptz,
	cause text,
	primary key (consumer, fact_id)
);
create index inbox_waiting on inbox (consumer, position) where handled_at is null;
create index inbox_held on inbox (consumer, aggregate, position) where handled_at is null and tries > 0;
create index inbox_handled on inbox (handled_at) where handled_at is not null;

-- Answers kept for Idempotency-Key; see mixins/idempotency.ts.
create table idempotency (
	scope text not null,
	key text not null,
	hash bytea not null,
	status integer not null,
	answer bytea not null,
	created_at timestamptz not null,
	primary key (scope, key)
);
create index idempotency_age on idempotency (created_at);

-- The numbered logs of this node's rooms; (room, seq) is the fence. See mixins/room-log.ts.
create table room_events (
	room uuid not null,
	seq bigint not null,
	id uuid not null,
	type text not null,
	at timestamptz not null,
	sender uuid,
	sender_name text,
	client_id text,
	body json not null,
	primary key (room, seq)
);
create unique index room_events_client on room_events (room, sender, client_id) where client_id is not null;

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
drop table invites, reactions, message_states, join_requests, members, groups, room_events, idempotency, inbox, outbox;
drop function outbox_told();
