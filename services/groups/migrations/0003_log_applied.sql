-- Up Migration

-- Where the logs of groups are kept in another store: how far each is written into the tables of this one. The row outlives
-- its group, so that nothing of a log that is gone is written a second time.
create table log_applied (
	room uuid primary key,
	seq bigint not null
);

-- Down Migration
drop table log_applied;
