-- A part of a node's schema: made once by the migration that names it (`-- parts: room-log`). It never changes: what a mixin
-- needs later is another part, or a migration of the nodes.

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
