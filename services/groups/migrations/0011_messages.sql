-- Up Migration

-- Unread counts: one's own messages after a place, and what was deleted after it.
create index room_events_sender on room_events (room, sender, seq) where type = 'message';
alter table message_states add column sender uuid;
update message_states s set sender = e.sender from room_events e where e.room = s.group_id and e.seq = s.seq and s.deleted_at is not null;
create index message_states_deleted on message_states (group_id, seq) include (sender) where deleted_at is not null;

-- Messages that somebody has reported, once each.
create table flags (
	id uuid primary key,
	group_id uuid not null references groups (id) on delete cascade,
	seq bigint not null,
	reporter_id uuid not null,
	reason text not null,
	state text not null,
	created_at timestamptz not null,
	settled_by uuid,
	settled_at timestamptz,
	note text,
	unique (group_id, seq, reporter_id)
);
create index flags_queue on flags (state, id desc);
create index flags_of_group on flags (group_id, state, id desc);
create index flags_reporter on flags (reporter_id);

-- By which words messages are found, behind the log: it is followed by the services, a room up to its place. `words` has the room too.
-- `at` never goes back within a room.
create table message_words (
	room uuid not null,
	seq bigint not null,
	at timestamptz not null,
	words tsvector not null,
	primary key (room, seq)
);
create index message_words_newest on message_words (room, at desc, seq desc);
create index message_words_words on message_words using gin (words);

create table search_places (
	room uuid primary key,
	seq bigint not null,
	at timestamptz not null
);

-- Down Migration
drop table search_places, message_words;
drop table flags;
drop index message_states_deleted, room_events_sender;
alter table message_states drop column sender;
