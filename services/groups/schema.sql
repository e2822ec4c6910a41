-- The schema of groups as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the parts room-log, jobs.

create table bans (
  group_id uuid not null,
  profile_id uuid not null,
  display_name text not null,
  by_id uuid not null,
  banned_at timestamp with time zone not null,
  constraint bans_pkey PRIMARY KEY (group_id, profile_id)
);

create table blocks (
  profile_id uuid not null,
  blocked_id uuid not null,
  display_name text not null,
  blocked_at timestamp with time zone not null,
  constraint blocks_pkey PRIMARY KEY (profile_id, blocked_id)
);

create table direct_pairs (
  low uuid not null,
  high uuid not null,
  group_id uuid not null,
  constraint direct_pairs_check CHECK ((low < high)),
  constraint direct_pairs_group_id_key UNIQUE (group_id),
  constraint direct_pairs_pkey PRIMARY KEY (low, high)
);

create table flags (
  id uuid not null,
  group_id uuid not null,
  seq bigint not null,
  reporter_id uuid not null,
  reason text not null,
  state text not null,
  created_at timestamp with time zone not null,
  settled_by uuid,
  settled_at timestamp with time zone,
  note text,
  constraint flags_group_id_seq_reporter_id_key UNIQUE (group_id, seq, reporter_id),
  constraint flags_pkey PRIMARY KEY (id)
);

create table group_people (
  profile_id uuid not null,
  group_id uuid not null,
  constraint group_people_pkey PRIMARY KEY (profile_id, group_id)
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
  kind text not null default 'group'::text,
  avatar_id uuid,
  constraint groups_pkey PRIMARY KEY (id)
);

create table invites (
  id uuid not null,
  group_id uuid not null,
  inviter_id uuid not null,
  invitee_id uuid,
  role text not null,
  state text not null,
  expires_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  email text,
  constraint invites_pkey PRIMARY KEY (id)
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
  muted_until timestamp with time zone,
  constraint members_pkey PRIMARY KEY (group_id, profile_id)
);

create table message_states (
  group_id uuid not null,
  seq bigint not null,
  content text,
  edited_at timestamp with time zone,
  deleted_at timestamp with time zone,
  sender uuid,
  constraint message_states_pkey PRIMARY KEY (group_id, seq)
);

create table message_words (
  room uuid not null,
  seq bigint not null,
  at timestamp with time zone not null,
  words tsvector not null,
  constraint message_words_pkey PRIMARY KEY (room, seq)
);

create table people (
  profile_id uuid not null,
  display_name text,
  at timestamp with time zone not null,
  avatar uuid,
  constraint people_pkey PRIMARY KEY (profile_id)
);

create table reactions (
  group_id uuid not null,
  seq bigint not null,
  emoji text not null,
  profile_id uuid not null,
  at timestamp with time zone not null,
  constraint reactions_pkey PRIMARY KEY (group_id, seq, emoji, profile_id)
);

create table search_places (
  room uuid not null,
  seq bigint not null,
  at timestamp with time zone not null,
  id integer not null generated always as identity,
  constraint search_places_pkey PRIMARY KEY (room)
);

CREATE INDEX bans_order ON groups.bans USING btree (group_id, banned_at, profile_id);
CREATE INDEX bans_profile ON groups.bans USING btree (profile_id);
CREATE INDEX blocks_blocked ON groups.blocks USING btree (blocked_id);
CREATE INDEX blocks_order ON groups.blocks USING btree (profile_id, blocked_at, blocked_id);
CREATE INDEX direct_pairs_high ON groups.direct_pairs USING btree (high);
CREATE INDEX flags_of_group ON groups.flags USING btree (group_id, state, id DESC);
CREATE INDEX flags_queue ON groups.flags USING btree (state, id DESC);
CREATE INDEX flags_reporter ON groups.flags USING btree (reporter_id);
CREATE INDEX group_people_group ON groups.group_people USING btree (group_id);
CREATE INDEX groups_public ON groups.groups USING btree (id DESC) WHERE is_public;
CREATE INDEX invites_email ON groups.invites USING btree (email, id DESC) WHERE (email IS NOT NULL);
CREATE INDEX invites_group ON groups.invites USING btree (group_id, id DESC);
CREATE INDEX invites_invitee ON groups.invites USING btree (invitee_id, id DESC);
CREATE INDEX invites_inviter ON groups.invites USING btree (inviter_id);
CREATE UNIQUE INDEX invites_open ON groups.invites USING btree (group_id, invitee_id) WHERE (state = 'pending'::text);
CREATE UNIQUE INDEX invites_open_email ON groups.invites USING btree (group_id, email) WHERE (state = 'pending'::text);
CREATE INDEX join_requests_order ON groups.join_requests USING btree (group_id, requested_at, profile_id);
CREATE INDEX join_requests_profile ON groups.join_requests USING btree (profile_id);
CREATE INDEX members_order ON groups.members USING btree (group_id, joined_seq, profile_id);
CREATE INDEX members_profile ON groups.members USING btree (profile_id, group_id DESC);
CREATE INDEX members_staff ON groups.members USING btree (group_id) WHERE (role <> 'member'::text);
CREATE INDEX message_states_deleted ON groups.message_states USING btree (group_id, seq) INCLUDE (sender) WHERE (deleted_at IS NOT NULL);
CREATE INDEX message_words_newest ON groups.message_words USING btree (room, at DESC, seq DESC);
CREATE INDEX message_words_words ON groups.message_words USING gin (words) WITH (fastupdate=off);
CREATE INDEX room_events_sender ON groups.room_events USING btree (room, sender, seq) WHERE (type = 'message'::text);

alter table bans add constraint bans_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table flags add constraint flags_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table invites add constraint invites_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table join_requests add constraint join_requests_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table members add constraint members_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
