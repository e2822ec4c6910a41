-- parts: jobs
-- Up Migration

-- Membership whole: avatars, direct talks, mutes, bans, blocks, invites to addresses.
alter table groups add column kind text not null default 'group', add column avatar_id uuid;
alter table members add column muted_until timestamptz;
-- Who runs a group is known without reading all who are in it.
create index members_staff on members (group_id) where role <> 'member';
create index join_requests_order on join_requests (group_id, requested_at, profile_id);

create table bans (
	group_id uuid not null references groups (id) on delete cascade,
	profile_id uuid not null,
	display_name text not null,
	by_id uuid not null,
	banned_at timestamptz not null,
	primary key (group_id, profile_id)
);
create index bans_order on bans (group_id, banned_at, profile_id);
create index bans_profile on bans (profile_id);

-- A token is made of the invite's id, and not kept. An address is kept as long as the invite is open.
alter table invites drop column token, alter column invitee_id drop not null, add column email text;
create unique index invites_open_email on invites (group_id, email) where state = 'pending';
create index invites_email on invites (email, id desc) where email is not null;
create index invites_inviter on invites (inviter_id);

-- The one talk of two profiles: whoever comes first names its group.
create table direct_pairs (
	low uuid not null,
	high uuid not null check (low < high),
	group_id uuid not null unique,
	primary key (low, high)
);
create index direct_pairs_high on direct_pairs (high);

create table blocks (
	profile_id uuid not null,
	blocked_id uuid not null,
	display_name text not null,
	blocked_at timestamptz not null,
	primary key (profile_id, blocked_id)
);
create index blocks_blocked on blocks (blocked_id);
create index blocks_order on blocks (profile_id, blocked_at, blocked_id);

-- Down Migration
drop table blocks, direct_pairs;
delete from invites where invitee_id is null;
drop index invites_inviter;
alter table invites drop column email, alter column invitee_id set not null,
	add column token text not null unique default gen_random_uuid()::text;
alter table invites alter column token drop default;
drop table bans;
drop index join_requests_order, members_staff;
alter table members drop column muted_until;
delete from groups where kind = 'direct';
alter table groups drop column kind, drop column avatar_id;
