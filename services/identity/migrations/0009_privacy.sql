-- parts: work
-- Up Migration

-- Archives of exports, in pieces: every process of the node can hand them out. They go with the account, or when their time is over.
create table exports (
	id uuid primary key,
	account_id uuid not null references accounts (id) on delete cascade,
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

-- Down Migration
delete from sessions where account_id is null or profile_id is null;
alter table sessions alter column account_id set not null, alter column profile_id set not null;
drop table export_parts, exports;
