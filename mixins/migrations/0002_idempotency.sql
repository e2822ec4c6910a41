-- For every node, before its own first migration (config/migrations.ts runs it); a node names it nowhere. Once released it never
-- changes: what mixins need later is the file with the next number. (`if not exists`: nodes had these tables before they had this list.)

-- Up Migration

-- Answers kept for Idempotency-Key; see mixins/idempotency.ts.
create table if not exists idempotency (
	scope text not null,
	key text not null,
	hash bytea not null,
	status integer not null,
	answer bytea not null,
	created_at timestamptz not null,
	primary key (scope, key)
);
create index if not exists idempotency_age on idempotency (created_at);

-- Down Migration
drop table idempotency;
