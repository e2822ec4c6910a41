-- The schema of groups as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the part room-log.

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
  constraint groups_pkey PRIMARY KEY (id)
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

create table people (
  profile_id uuid not null,
  display_name text,
  at timestamp with time zone not null,
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

CREATE INDEX group_people_group ON groups.group_people USING btree (group_id);
CREATE INDEX groups_public ON groups.groups USING btree (id DESC) WHERE is_public;
CREATE INDEX invites_group ON groups.invites USING btree (group_id, id DESC);
CREATE INDEX invites_invitee ON groups.invites USING btree (invitee_id, id DESC);
CREATE UNIQUE INDEX invites_open ON groups.invites USING btree (group_id, invitee_id) WHERE (state = 'pending'::text);
CREATE INDEX join_requests_profile ON groups.join_requests USING btree (profile_id);
CREATE INDEX members_order ON groups.members USING btree (group_id, joined_seq, profile_id);
CREATE INDEX members_profile ON groups.members USING btree (profile_id, group_id DESC);

alter table invites add constraint invites_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table join_requests add constraint join_requests_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
alter table members add constraint members_group_id_fkey FOREIGN KEY (group_id) REFERENCES groups(id) ON DELETE CASCADE;
