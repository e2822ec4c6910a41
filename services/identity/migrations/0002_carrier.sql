-- parts: carrier
-- Up Migration

-- Nothing of its own: the part is for facts over JetStream.

-- Down Migration
drop table carrier_told, carrier_heard;
