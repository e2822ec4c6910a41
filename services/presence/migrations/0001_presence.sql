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

-- What is remembered of a profile while nobody of it is here. A row is written when it comes and when it goes.
create table seen (
	profile_id uuid primary key,
	last_seen timestamptz not null,
	hidden boolean not null default false
);

-- Down Migration
drop table seen, room_events, inbox, outbox;
drop function outbox_told();
