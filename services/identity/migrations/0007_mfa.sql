-- Up Migration

-- How the person of a session last proved who they are, and when. Sessions from before: at their beginning, by a password.
alter table sessions add column auth_time timestamptz;
alter table sessions add column acr text not null default '1';
-- Where somebody has proved more than a password.
create index sessions_strong on sessions (account_id, address) where acr = '2';

-- The authenticator app of an account. Without confirmed_at it is being set up and does not count. A code is good once: the
-- steps (of 30 s) whose codes were used are kept for as long as these codes would be accepted.
create table totps (
	account_id uuid primary key references accounts (id) on delete cascade,
	secret_sealed bytea not null,
	created_at timestamptz not null,
	confirmed_at timestamptz,
	used_steps bigint[] not null default '{}'
);

-- A row for each code that is still good.
create table recovery_codes (
	account_id uuid not null references accounts (id) on delete cascade,
	hash bytea not null,
	primary key (account_id, hash)
);

create table passkeys (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	credential_id text not null,
	public_key bytea not null,
	counter bigint not null,
	transports text[] not null,
	name text not null,
	backed_up boolean not null,
	created_at timestamptz not null,
	last_used_at timestamptz,
	constraint passkeys_credential unique (credential_id)
);
create index passkeys_account on passkeys (account_id, id);

-- What a passkey is asked to sign: once. With an account only that one's passkeys may.
create table passkey_challenges (
	hash bytea primary key,
	purpose text not null,
	account_id uuid references accounts (id) on delete cascade,
	expires_at timestamptz not null
);
create index passkey_challenges_expire on passkey_challenges (expires_at);
create index passkey_challenges_account on passkey_challenges (account_id) where account_id is not null;

-- Logins whose first step was right. `proof` is a digest of the password's hash: with another password the ticket is void.
create table mfa_tickets (
	hash bytea primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	proof bytea not null,
	failures int not null,
	expires_at timestamptz not null
);
create index mfa_tickets_account on mfa_tickets (account_id);
create index mfa_tickets_expire on mfa_tickets (expires_at);

-- Wrong codes of the last day, whatever ticket or session they came with.
create table mfa_failures (
	account_id uuid not null references accounts (id) on delete cascade,
	address text not null,
	kind text not null,
	at timestamptz not null
);
create index mfa_failures_account on mfa_failures (account_id, at);
create index mfa_failures_at on mfa_failures (at);

-- Down Migration
drop table mfa_failures, mfa_tickets, passkey_challenges, passkeys, recovery_codes, totps;
drop index sessions_strong;
alter table sessions drop column auth_time, drop column acr;
