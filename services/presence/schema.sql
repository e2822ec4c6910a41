-- The schema of presence as its migrations leave it. Written by: npm run migrate -- dump

create table carrier_heard (
  stream text not null,
  durable text not null,
  created text not null,
  last_seq bigint not null,
  durable_created text not null,
  deliveries bigint not null,
  constraint carrier_heard_pkey PRIMARY KEY (stream, durable)
);

create table carrier_told (
  stream text not null,
  created text not null,
  last_seq bigint not null,
  refill_after bigint,
  refill_until bigint,
  constraint carrier_told_pkey PRIMARY KEY (stream)
);

create table inbox (
  consumer text not null,
  fact_id uuid not null,
  "position" bigint not null generated always as identity,
  type text not null,
  version integer not null,
  aggregate text not null,
  at timestamp with time zone not null,
  request_id text,
  actor uuid,
  payload json not null,
  received_at timestamp with time zone not null,
  handled_at timestamp with time zone,
  tries integer not null default 0,
  next_try_at timestamp with time zone,
  dead_at timestamp with time zone,
  cause text,
  constraint inbox_pkey PRIMARY KEY (consumer, fact_id)
);

create table outbox (
  id bigint not null generated always as identity,
  fact_id uuid not null,
  type text not null,
  version integer not null,
  aggregate text not null,
  at timestamp with time zone not null,
  request_id text,
  actor uuid,
  payload json not null,
  sent_at timestamp with time zone,
  constraint outbox_pkey PRIMARY KEY (id, at)
) partition by RANGE (at);
-- partition outbox_default DEFAULT

create table room_events (
  room uuid not null,
  seq bigint not null,
  id uuid not null,
  type text not null,
  at timestamp with time zone not null,
  sender uuid,
  sender_name text,
  client_id text,
  body json not null,
  constraint room_events_pkey PRIMARY KEY (room, seq)
);

create table seen (
  profile_id uuid not null,
  last_seen timestamp with time zone not null,
  hidden boolean not null default false,
  constraint seen_pkey PRIMARY KEY (profile_id)
);

CREATE INDEX inbox_handled ON presence.inbox USING btree (handled_at) WHERE (handled_at IS NOT NULL);
CREATE INDEX inbox_held ON presence.inbox USING btree (consumer, aggregate, "position") WHERE ((handled_at IS NULL) AND (tries > 0));
CREATE INDEX inbox_waiting ON presence.inbox USING btree (consumer, "position") WHERE (handled_at IS NULL);
CREATE INDEX outbox_unsent ON ONLY presence.outbox USING btree (id) WHERE (sent_at IS NULL);
CREATE UNIQUE INDEX room_events_client ON presence.room_events USING btree (room, sender, client_id) WHERE (client_id IS NOT NULL);

CREATE OR REPLACE FUNCTION presence.outbox_told()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	perform pg_notify(tg_table_schema || '_outbox', '');
	return null;
end $function$;

CREATE TRIGGER outbox_told AFTER INSERT ON presence.outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_told();
