-- A part of a node's schema: made once by the migration that names it (`-- parts: idempotency`). It never changes: what a mixin
-- needs later is another part, or a migration of the nodes.

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
