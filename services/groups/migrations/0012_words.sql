-- Up Migration

-- Words are kept by where they were said: with the number of their room and of the part of its log, so that a question reads nothing of
-- other rooms, and of a large room the newest first. What was indexed otherwise is made anew: the services follow the logs again.
-- (`fastupdate` off: a question of several parts would read what waits for the index once for each of them.)
drop table message_words;
delete from search_places;
alter table search_places add column id integer generated always as identity;
create table message_words (
	room uuid not null,
	seq bigint not null,
	at timestamptz not null,
	words tsvector not null,
	primary key (room, seq)
);
create index message_words_newest on message_words (room, at desc, seq desc);
create index message_words_words on message_words using gin (words) with (fastupdate = off);

-- Down Migration
drop table message_words;
delete from search_places;
alter table search_places drop column id;
create table message_words (
	room uuid not null,
	seq bigint not null,
	at timestamptz not null,
	words tsvector not null,
	primary key (room, seq)
);
create index message_words_newest on message_words (room, at desc, seq desc);
create index message_words_words on message_words using gin (words);
