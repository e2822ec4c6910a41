-- The schema of presence as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the parts room-log, jobs, work.

create table account_settings (
  account_id uuid not null,
  language text,
  time_zone text,
  constraint account_settings_pkey PRIMARY KEY (account_id)
);

create table blocks (
  profile_id uuid not null,
  blocked_id uuid not null,
  constraint blocks_pkey PRIMARY KEY (profile_id, blocked_id)
);

create table broadcasts (
  id uuid not null,
  after uuid,
  done integer not null,
  told integer not null,
  constraint broadcasts_pkey PRIMARY KEY (id)
);

create table causes (
  profile_id uuid not null,
  cause text not null,
  notification_id uuid not null,
  at timestamp with time zone not null,
  constraint causes_pkey PRIMARY KEY (profile_id, cause)
);

create table devices (
  id uuid not null,
  profile_id uuid not null,
  session_id text not null,
  kind text not null,
  token text not null,
  hash bytea not null,
  keys jsonb,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint devices_kind_check CHECK ((kind = ANY (ARRAY['ios'::text, 'android'::text, 'web'::text]))),
  constraint devices_pkey PRIMARY KEY (id)
);

create table direct_talks (
  group_id uuid not null,
  profile_ids uuid[] not null,
  constraint direct_talks_pkey PRIMARY KEY (group_id)
);

create table gone (
  profile_id uuid not null,
  at timestamp with time zone not null,
  constraint gone_pkey PRIMARY KEY (profile_id)
);

create table learning (
  one boolean not null default true,
  after uuid,
  constraint learning_one_check CHECK (one),
  constraint learning_pkey PRIMARY KEY (one)
);

create table muted_groups (
  profile_id uuid not null,
  group_id uuid not null,
  until timestamp with time zone,
  constraint muted_groups_pkey PRIMARY KEY (profile_id, group_id)
);

create table notifications (
  id uuid not null,
  profile_id uuid not null,
  seq bigint not null,
  kind text not null,
  wording text not null,
  language text not null,
  vals jsonb not null,
  title text not null,
  body text not null,
  data jsonb not null,
  cause text not null,
  by_id uuid,
  group_id uuid,
  message_seq bigint,
  thread text,
  count integer not null,
  shown boolean not null,
  created_at timestamp with time zone not null,
  read_at timestamp with time zone,
  step text,
  mail text,
  constraint notifications_pkey PRIMARY KEY (id)
);

create table people (
  profile_id uuid not null,
  account_id uuid not null,
  display_name text not null,
  constraint people_pkey PRIMARY KEY (profile_id)
);

create table preferences (
  profile_id uuid not null,
  kinds jsonb not null,
  quiet_from text,
  quiet_to text,
  time_zone text,
  digest text not null,
  constraint preferences_pkey PRIMARY KEY (profile_id)
);

create table pushes (
  notification_id uuid not null,
  device_id uuid not null,
  planned_at timestamp with time zone not null,
  tried_at timestamp with time zone,
  constraint pushes_pkey PRIMARY KEY (notification_id, device_id)
);

create table seen (
  profile_id uuid not null,
  last_seen timestamp with time zone not null,
  hidden boolean not null default false,
  constraint seen_pkey PRIMARY KEY (profile_id)
);

create table vapid_keys (
  one boolean not null default true,
  public_key text not null,
  private_sealed text not null,
  created_at timestamp with time zone not null,
  constraint vapid_keys_one_check CHECK (one),
  constraint vapid_keys_pkey PRIMARY KEY (one)
);

CREATE INDEX blocks_of ON presence.blocks USING btree (blocked_id);
CREATE INDEX causes_at ON presence.causes USING btree (at);
CREATE INDEX causes_cause ON presence.causes USING btree (cause text_pattern_ops);
CREATE UNIQUE INDEX devices_hash ON presence.devices USING btree (hash);
CREATE INDEX devices_of ON presence.devices USING btree (profile_id, updated_at DESC);
CREATE INDEX devices_session ON presence.devices USING btree (session_id);
CREATE INDEX direct_talks_of ON presence.direct_talks USING gin (profile_ids);
CREATE INDEX muted_groups_of ON presence.muted_groups USING btree (group_id);
CREATE INDEX notifications_by ON presence.notifications USING btree (by_id);
CREATE INDEX notifications_created ON presence.notifications USING btree (created_at);
CREATE INDEX notifications_inbox ON presence.notifications USING btree (profile_id, seq DESC) WHERE shown;
CREATE UNIQUE INDEX notifications_thread ON presence.notifications USING btree (profile_id, thread) WHERE ((read_at IS NULL) AND (thread IS NOT NULL));
CREATE INDEX notifications_unread ON presence.notifications USING btree (profile_id) WHERE (read_at IS NULL);
CREATE INDEX people_of ON presence.people USING btree (account_id, profile_id);
CREATE INDEX pushes_device ON presence.pushes USING btree (device_id);
CREATE INDEX pushes_planned ON presence.pushes USING btree (planned_at);

alter table pushes add constraint pushes_device_id_fkey FOREIGN KEY (device_id) REFERENCES devices(id) ON DELETE CASCADE;
