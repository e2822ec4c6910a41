-- For every node, before its own first migration (config/migrations.ts runs it); a node names it nowhere. Once released it never
-- changes: what mixins need later is the file with the next number. (`if not exists`: nodes had these tables before they had this list.)

-- Up Migration

-- How far this node's facts are carried by JetStream, and how far it has heard others. See mixins/facts/jetstream.ts.

-- The node's own stream, as its relay left it. `refill_*`: rows of the outbox that are carried again, because the stream is new.
create table if not exists carrier_told (
	stream text primary key,
	created text not null,
	last_seq bigint not null,
	refill_after bigint,
	refill_until bigint
);

-- Streams of others, as far as they are in this node's inbox: written in the transaction of the inbox.
create table if not exists carrier_heard (
	stream text not null,
	durable text not null,
	created text not null,
	last_seq bigint not null,
	durable_created text not null,
	deliveries bigint not null,
	primary key (stream, durable)
);

-- Down Migration
drop table carrier_told, carrier_heard;
