-- For every node, before its own first migration (config/migrations.ts runs it); a node names it nowhere. Once released it never
-- changes: what mixins need later is the file with the next number.

-- Up Migration

-- Accounts and profiles that this node has erased: what still comes of them is not written down. See mixins/person.
create table if not exists erased_people (
	id uuid primary key,
	at timestamptz not null
);

-- Down Migration
drop table erased_people;
