-- Up Migration

-- Unread counts: one's own messages after a place, and what was deleted after it.
create index room_events_sender on room_events (room, sender, seq) where type = 'message';
create index message_states_deleted on message_states (group_id, seq) where deleted_at is not null;

-- Down Migration
drop index message_states_deleted, room_events_sender;
