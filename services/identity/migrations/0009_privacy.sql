-- parts: work
-- Up Migration

-- Archives of exports, in pieces: every process of the node can hand them out. They go with the account, or when their time is over.
create table exports (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
	attempt uuid not null, -- two processes may make it at once: pieces of one count
	size bigint,
	parts integer,
	made_at timestamptz not null,
	expires_at timestamptz not null
);
create index exports_expires on exports (expires_at);

create table export_parts (
	export_id uuid not null references exports (id) on delete cascade,
	no integer not null,
	bytes bytea not null,
	primary key (export_id, no)
);
alter table export_parts alter column bytes set storage external;

-- A session that ended outlives its account: doors ask for it as long as its tokens would be good.
alter table sessions alter column account_id drop not null, alter column profile_id drop not null;

-- Profiles that were deleted one by one: what they have said elsewhere is still the person's, to be exported and to be erased.
create table former_profiles (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade
);
create index former_profiles_account on former_profiles (account_id);
create function profile_deleted() returns trigger language plpgsql as $$
begin
	-- Not where the account itself is going.
	insert into former_profiles (id, account_id) select old.id, id from accounts where id = old.account_id on conflict do nothing;
	return null;
end $$;
create trigger profile_deleted after delete on profiles for each row execute function profile_deleted();

-- Down Migration
drop trigger profile_deleted on profiles;
drop function profile_deleted();
drop table former_profiles;
delete from sessions where account_id is null or profile_id is null;
alter table sessions alter column account_id set not null, alter column profile_id set not null;
drop table export_parts, exports;
