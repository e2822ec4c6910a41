-- Up Migration

-- Nothing any more: the tables it made are every node's (mixins/migrations). Kept, because databases have it in their lists.

-- Down Migration
