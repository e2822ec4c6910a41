-- The schema of presence as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the part room-log.

create table gone (
  profile_id uuid not null,
  at timestamp with time zone not null,
  constraint gone_pkey PRIMARY KEY (profile_id)
);

create table seen (
  profile_id uuid not null,
  last_seen timestamp with time zone not null,
  hidden boolean not null default false,
  constraint seen_pkey PRIMARY KEY (profile_id)
);
