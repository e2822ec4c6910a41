-- For every node, before its own first migration (config/migrations.ts runs it); a node names it nowhere. Once released it never
-- changes: what mixins need later is the file with the next number. (`if not exists`: nodes had these tables before they had this list.)

-- Up Migration

-- Facts: what this node tells (outbox), what it hears (inbox). See mixins/facts.
create table if not exists outbox (
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
create table if not exists outbox_default partition of outbox default;
create index if not exists outbox_unsent on outbox (id) where sent_at is null;
create or replace function outbox_told() returns trigger language plpgsql as $$
begin
	perform pg_notify(tg_table_schema || '_outbox', '');
	return null;
end $$;
create or replace trigger outbox_told after insert on outbox for each statement execute function outbox_told();

create table if not exists inbox (
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
create index if not exists inbox_waiting on inbox (consumer, position) where handled_at is null;
create index if not exists inbox_held on inbox (consumer, aggregate, position) where handled_at is null and tries > 0;
create index if not exists inbox_handled on inbox (handled_at) where handled_at is not null;

-- Down Migration
drop table inbox, outbox;
drop function outbox_told();
