-- A part of a node's schema, for nodes with long work (`-- parts: work`, besides `jobs`): Up and Down belong to the migration that names
-- it and run with it. Once released it never changes: what the mixin needs later is another part.

-- Up Migration

-- Long work, as whoever waits for it sees it. `once`: two of a kind that are not ended never have the same. See mixins/work.
create table if not exists work (
	id uuid primary key,
	kind text not null,
	once text not null,
	starter uuid,
	ticket bytea,
	input json not null,
	state text not null check (state in ('waiting', 'running', 'done', 'failed')),
	tries integer not null default 0,
	done integer not null default 0,
	total integer not null,
	result json,
	error json,
	created_at timestamptz not null,
	ended_at timestamptz
);
create unique index if not exists work_once on work (kind, once) where ended_at is null;
create index if not exists work_starter on work (starter, kind, id desc);
create index if not exists work_ended on work (ended_at) where ended_at is not null;

-- Down Migration
drop table work;
