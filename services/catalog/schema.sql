-- The schema of catalog as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the part jobs.

create table files (
  digest bytea not null,
  type text not null,
  width integer not null,
  height integer not null,
  sizes integer[] not null,
  created_at timestamp with time zone not null,
  constraint files_pkey PRIMARY KEY (digest)
);

create table uploads (
  id uuid not null,
  owner_id uuid not null,
  account_id uuid not null,
  digest bytea not null,
  bytes bigint not null,
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

CREATE INDEX uploads_by ON catalog.uploads USING btree (owner_id);
CREATE INDEX uploads_of ON catalog.uploads USING btree (account_id, id);
CREATE INDEX uploads_unused ON catalog.uploads USING btree (unused_since) WHERE (unused_since IS NOT NULL);
CREATE INDEX uploads_with ON catalog.uploads USING btree (digest);
CREATE INDEX uses_of ON catalog.uses USING btree (upload_id);

alter table uploads add constraint uploads_digest_fkey FOREIGN KEY (digest) REFERENCES files(digest);
