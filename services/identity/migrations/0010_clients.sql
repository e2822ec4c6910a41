-- Up Migration

-- Programs that act for themselves. A secret is 256 random bits: its plain hash cannot be guessed back.
create table clients (
	id uuid primary key,
	name text not null,
	scopes text[] not null,
	secret_hash bytea not null,
	created_at timestamptz not null,
	rotated_at timestamptz,
	last_used_at timestamptz
);

-- One for each token that a client was given. It outlives its client: doors must hear that it has ended.
create table client_sessions (
	id uuid primary key,
	client_id uuid not null,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	ended_at timestamptz
);
create index client_sessions_client on client_sessions (client_id) where ended_at is null;
create index client_sessions_ended on client_sessions (ended_at) where ended_at is not null;
create index client_sessions_expires on client_sessions (expires_at);

-- A key that somebody else may have: nothing it has signed is believed, whenever that was.
alter table signing_keys add column revoked_at timestamptz;

-- Terms of service. A version is a draft until it is published, and from then on stays as it is.
create table terms (
	id uuid primary key,
	version text not null,
	requires_acceptance boolean not null,
	texts json not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	published_at timestamptz,
	constraint terms_version unique (version)
);
create index terms_published on terms (published_at desc) where published_at is not null;
create function terms_kept() returns trigger language plpgsql as $$
begin
	raise exception 'published terms are kept as they are';
end $$;
create trigger terms_kept before update or delete on terms for each row when (old.published_at is not null) execute function terms_kept();

create table terms_acceptances (
	account_id uuid not null references accounts (id) on delete cascade,
	terms_id uuid not null references terms (id),
	accepted_at timestamptz not null,
	primary key (account_id, terms_id)
);

-- Down Migration
drop table terms_acceptances, terms;
drop function terms_kept();
alter table signing_keys drop column revoked_at;
drop table client_sessions, clients;
