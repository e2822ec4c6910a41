-- A part of a node's schema, for nodes that own rooms: Up and Down belong to the migration that names it (`-- parts: room-log` at its
-- head) and run with it. Once released it never changes: what the mixin needs later is another part.

-- Up Migration

-- The numbered logs of this node's rooms; (room, seq) is the fence. See mixins/log-carrier.ts.
create table if not exists room_events (
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
create unique index if not exists room_events_client on room_events (room, sender, client_id) where client_id is not null;

-- Down Migration
drop table room_events;
