-- Up Migration

-- Whether the address was ever proved says this column; the state may say something else meanwhile (a password to be changed, a ban).
alter table accounts add column verified_at timestamptz, add column time_zone text;
update accounts set verified_at = created_at where state in ('active', 'mustChangePassword');

-- What was mailed to prove an address: a code to type and a link to open, both known by their hashes only.
create table mail_codes (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	purpose text not null,
	email text not null,
	code_hash bytea not null,
	link_hash bytea not null,
	tries int not null default 0,
	created_at timestamptz not null,
	code_until timestamptz not null,
	link_until timestamptz not null,
	ended_at timestamptz,
	constraint mail_codes_link unique (link_hash)
);
-- A new one ends the older.
create unique index mail_codes_live on mail_codes (account_id, purpose) where ended_at is null;
create index mail_codes_email on mail_codes (email) where ended_at is null;
create index mail_codes_account on mail_codes (account_id, created_at);
create index mail_codes_created on mail_codes (created_at);

-- Down Migration
drop table mail_codes;
alter table accounts drop column verified_at, drop column time_zone;
