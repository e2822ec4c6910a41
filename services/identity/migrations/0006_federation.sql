-- Up Migration

-- Somebody who signs in elsewhere has no password here.
alter table accounts alter column password_hash drop not null;

-- Who somebody is at an issuer: the pair of issuer and subject, never the e-mail.
create table identities (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	provider text not null,
	issuer text not null,
	subject text not null,
	-- What the issuer said last.
	email text,
	name text,
	-- Whether the account's e-mail was known to be this person's.
	proven boolean not null,
	created_at timestamptz not null,
	last_used_at timestamptz not null,
	constraint identities_subject unique (issuer, subject)
);
create index identities_account on identities (account_id, id);

-- What a user directory's webhook said last of its people: events come twice and out of order.
create table directory_users (
	issuer text not null,
	subject text not null,
	version int8 not null,
	deleted_at timestamptz,
	primary key (issuer, subject)
);

create table webhooks_heard (
	source text not null,
	id text not null,
	at timestamptz not null,
	primary key (source, id)
);
create index webhooks_heard_at on webhooks_heard (at);

-- What a browser that comes back from an issuer exchanges for tokens, or links: then it says who the issuer says it is.
create table sign_in_codes (
	hash bytea primary key,
	account_id uuid references accounts (id) on delete cascade,
	created boolean not null,
	provider text not null,
	claimed json,
	challenge text,
	expires_at timestamptz not null
);
create index sign_in_codes_account on sign_in_codes (account_id);
create index sign_in_codes_expiry on sign_in_codes (expires_at);

-- Down Migration
drop table sign_in_codes, webhooks_heard, directory_users, identities;
-- What no password hashes to.
update accounts set password_hash = '$argon2id$v=19$m=19456,t=2,p=1$' || repeat('A', 22) || '$' || repeat('A', 43) where password_hash is null;
alter table accounts alter column password_hash set not null;
