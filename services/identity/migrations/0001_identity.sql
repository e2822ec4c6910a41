-- Up Migration

-- Accounts and their profiles.
create table accounts (
	id uuid primary key,
	email text not null,
	password_hash text not null,
	state text not null,
	role text not null,
	phone text,
	language text,
	banned_until timestamptz,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	constraint accounts_email unique (email)
);

create table profiles (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	display_name text not null,
	kind text not null,
	created_at timestamptz not null,
	updated_at timestamptz not null
);
create index profiles_account on profiles (account_id, id);

-- A session is a family of refresh tokens: each is used once and followed by its successor.
create table sessions (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	profile_id uuid not null references profiles (id) on delete cascade,
	device text not null,
	address text not null,
	created_at timestamptz not null,
	last_used_at timestamptz not null,
	expires_at timestamptz not null,
	ended_at timestamptz,
	end_reason text
);
create index sessions_account on sessions (account_id, id desc) where ended_at is null;
create index sessions_ended on sessions (ended_at) where ended_at is not null;

create table refresh_tokens (
	hash bytea primary key,
	session_id uuid not null references sessions (id) on delete cascade,
	created_at timestamptz not null,
	used_at timestamptz,
	used_device text,
	successor bytea
);
create index refresh_tokens_session on refresh_tokens (session_id);

create table signing_keys (
	id text primary key,
	public_jwk json not null,
	private_sealed bytea not null,
	created_at timestamptz not null,
	signs_from timestamptz not null,
	retired_at timestamptz not null
);

-- Wrong passwords of the last minutes. Kept here, so that a restart is no fresh start for who guesses.
create table login_failures (
	email_hash bytea not null,
	address text not null,
	at timestamptz not null
);
create index login_failures_account on login_failures (email_hash, address, at);
create index login_failures_address on login_failures (address, at);
create index login_failures_at on login_failures (at);

create table audit (
	id uuid primary key,
	at timestamptz not null,
	actor uuid,
	action text not null,
	target text not null,
	request_id text,
	detail json not null
);
create index audit_at on audit (at desc);
create function audit_kept() returns trigger language plpgsql as $$
begin
	raise exception 'audit entries are kept as they are';
end $$;
create trigger audit_kept before update or delete or truncate on audit for each statement execute function audit_kept();

-- Down Migration
drop table audit, login_failures, signing_keys, refresh_tokens, sessions, profiles, accounts;
drop function audit_kept();
