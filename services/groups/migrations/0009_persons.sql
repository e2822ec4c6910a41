-- Up Migration

-- Who was ever in which group, so that what they said there is found without an index on every message.
create table group_people (
	profile_id uuid not null,
	group_id uuid not null,
	primary key (profile_id, group_id)
);
create index group_people_group on group_people (group_id);
insert into group_people (profile_id, group_id)
select sender, room from room_events where sender is not null
union select profile_id, group_id from members;

-- Down Migration
drop table group_people;
