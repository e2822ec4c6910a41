-- Up Migration

-- A profile's own words and picture; and its name as it is sought: folded, and in pieces of one to three letters. A name that is
-- not folded yet (null) is folded when the node starts.
alter table profiles
	add column bio text,
	add column avatar uuid,
	add column folded text,
	add column pieces text[];
create index profiles_pieces on profiles using gin (pieces);
create index profiles_kind on profiles (kind, id desc);
create index profiles_unfolded on profiles (id) where folded is null;

-- Tokens of a deleted profile live on for minutes: doors must refuse them.
create table deleted_profiles (
	id uuid primary key,
	deleted_at timestamptz not null
);
create index deleted_profiles_at on deleted_profiles (deleted_at);

-- A session outlives its profile as one that has ended: doors must know of it too.
alter table sessions drop constraint sessions_profile_id_fkey;
create index sessions_profile on sessions (profile_id) where ended_at is null;

-- Down Migration
drop index sessions_profile;
delete from sessions s where not exists (select 1 from profiles p where p.id = s.profile_id);
alter table sessions add constraint sessions_profile_id_fkey foreign key (profile_id) references profiles (id) on delete cascade;
drop table deleted_profiles;
alter table profiles drop column pieces, drop column folded, drop column avatar, drop column bio;
drop index profiles_kind;
