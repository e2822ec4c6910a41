-- The schema of catalog as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the part jobs.

create table files (
  digest bytea not null,
  type text not null,
  width integer not null,
  height integer not null,
  small integer not null,
  medium integer not null,
  large integer not null,
  constraint files_pkey PRIMARY KEY (digest)
);

create table folder (
  id uuid not null,
  single boolean not null default true,
  constraint folder_pkey PRIMARY KEY (single),
  constraint folder_single_check CHECK (single)
);

create unlogged table pieces (
  staged uuid not null,
  no integer not null,
  account_id uuid not null,
  bytes bytea not null,
  at timestamp with time zone not null,
  constraint pieces_pkey PRIMARY KEY (staged, no)
);

create table uploads (
  id uuid not null,
  owner_id uuid not null,
  account_id uuid not null,
  digest bytea not null,
  created_at timestamp with time zone not null,
  unused_since timestamp with time zone,
  constraint uploads_pkey PRIMARY KEY (id)
);

create table uses (
  kind text not null,
  place text not null,
  upload_id uuid not null,
  constraint uses_pkey PRIMARY KEY (kind, place, upload_id)
);

CREATE INDEX pieces_at ON catalog.pieces USING btree (at);
CREATE INDEX uploads_of ON catalog.uploads USING btree (account_id, id);
CREATE INDEX uploads_unused ON catalog.uploads USING btree (unused_since) WHERE (unused_since IS NOT NULL);
CREATE INDEX uploads_with ON catalog.uploads USING btree (digest);
CREATE INDEX uses_of ON catalog.uses USING btree (upload_id);

alter table uploads add constraint uploads_digest_fkey FOREIGN KEY (digest) REFERENCES files(digest);
alter table uses add constraint uses_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES uploads(id) ON DELETE CASCADE;
