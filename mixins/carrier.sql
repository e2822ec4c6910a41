-- A part of a node's schema, as mixins/facts.sql is: how far this node's facts are carried by JetStream, and how far it has
-- heard others. See mixins/facts/jetstream.ts.

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
