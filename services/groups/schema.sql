-- The schema of groups as its migrations leave it. Written by: npm run migrate -- dump

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

create table groups (
  id uuid not null,
  name text not null,
  description text not null,
  is_public boolean not null,
  creator_id uuid not null,
  member_count integer not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint groups_pkey PRIMARY KEY (id)
);

create table idempotency (
  scope text not null,
  key text not null,
  hash bytea not null,
  status integer not null,
  answer bytea not null,
  created_at timestamp with time zone not null,
  constraint idempotency_pkey PRIMARY KEY (scope, key)
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

create table invites (
  id uuid not null,
  token text not null,
  group_id uuid not null,
  inviter_id uuid not null,
  invitee_id uuid not null,
  role text not null,
  state text not null,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint invites_pkey PRIMARY KEY (id),
  constraint invites_token_key UNIQUE (token)
);

create table join_requests (
  group_id uuid not null,
  profile_id uuid not null,
  display_name text not null,
  requested_at timestamp with time zone not null,
  constraint join_requests_pkey PRIMARY KEY (group_id, profile_id)
);

create table log_applied (
  room uuid not null,
  seq bigint not null,
  constraint log_applied_pkey PRIMARY KEY (room)
);

create table members (
  group_id uuid not null,
  profile_id uuid not null,
  display_name text not null,
  role text not null,
  joined_at timestamp with time zone not null,
  joined_seq bigint not null,
  read_seq bigint not null,
  constraint members_pkey PRIMARY KEY (group_id, profile_id)
);

create table message_states (
  group_id uuid not null,
  seq bigint not null,
  content text,
  edited_at timestamp with time zone,
  deleted_at timestamp with time zone,
  constraint message_states_pkey PRIMARY KEY (group_id, seq)
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

create table reactions (
  group_id uuid not null,
  seq bigint not null,
  emoji text not null,
  profile_id uuid not null,
  at timestamp with time zone not null,
  constraint reactions_pkey PRIMARY KEY (group_id, seq, emoji, profile_id)
);

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

CREATE INDEX groups_public ON groups.groups USING btree (id DESC) WHERE is_public;
CREATE INDEX idempotency_age ON groups.idempotency USING btree (created_at);
CREATE INDEX inbox_handled ON groups.inbox USING btree (handled_at) WHERE (handled_at IS NOT NULL);
CREATE INDEX inbox_held ON groups.inbox USING btree (consumer, aggregate, "position") WHERE ((handled_at IS NULL) AND (tries > 0));
CREATE INDEX inbox_waiting ON groups.inbox USING btree (consumer, "position") WHERE (handled_at IS NULL);
CREATE INDEX invites_group ON groups.invites USING btree (group_id, id DESC);
CREATE INDEX invites_invitee ON groups.invites USING btree (invitee_id, id DESC);
CREATE UNIQUE INDEX invites_open ON groups.invites USING btree (group_id, invitee_id) WHERE (state = 'pending'::text);
CREATE INDEX members_order ON groups.members USING btree (group_id, joined_seq, profile_id);
CREATE INDEX members_profile ON groups.members USING btree (profile_id, group_id DESC);
CREATE INDEX outbox_unsent ON ONLY groups.outbox USING btree (id) WHERE (sent_at IS NULL);
CREATE UNIQUE INDEX room_events_client ON groups.room_events USING btree (room, sender, client_id) WHERE (client_id IS NOT NULL);

alter table invites add constraint invites_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table join_requests add constraint join_requests_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table members add constraint members_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;

CREATE OR REPLACE FUNCTION groups.outbox_told()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	perform pg_notify(tg_table_schema || '_outbox', '');
	return null;
end $function$;

CREATE TRIGGER outbox_told AFTER INSERT ON groups.outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_told();
