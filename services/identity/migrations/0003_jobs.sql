-- parts: jobs
-- Up Migration

-- Nothing of its own: the part is for what recurs.

-- Down Migration
