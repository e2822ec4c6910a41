-- A part of a node's schema, for nodes that have jobs (`-- parts: jobs`). Its tables are graphile-worker's, in a schema of their own:
-- made by mixins/jobs/schema.ts before this migration, outside of its transaction.

-- Up Migration

-- Nothing here.

-- Down Migration
do $$ begin execute format('drop schema %I cascade', current_schema() || '_jobs'); end $$;
