-- Up Migration

-- What is shown of a profile beside its name: the id of an upload.
alter table people add avatar uuid;

-- Down Migration
alter table people drop avatar;
