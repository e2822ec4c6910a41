-- The schema of gamification as its migrations leave it. Written by: npm run migrate -- dump

create table accounts (
  owner text not null,
  currency text not null,
  kind text not null,
  balance bigint,
  constraint accounts_check CHECK (((balance IS NULL) = (kind = 'system'::text))),
  constraint accounts_currency_check CHECK ((currency = ANY (ARRAY['xp'::text, 'points'::text, 'coins'::text]))),
  constraint accounts_kind_check CHECK ((kind = ANY (ARRAY['profile'::text, 'system'::text]))),
  constraint accounts_pkey PRIMARY KEY (owner, currency)
);

create table carrier_heard (
  stream text not null,
  durable text not null,
  created text not null,
  last_seq bigint not null,
  durable_created text not null,
  deliveries bigint not null,
  constraint carrier_heard_pkey PRIMARY KEY (stream, durable)
);

create table carrier_told (
  stream text not null,
  created text not null,
  last_seq bigint not null,
  refill_after bigint,
  refill_until bigint,
  constraint carrier_told_pkey PRIMARY KEY (stream)
);

create table entries (
  id uuid not null,
  owner text not null,
  counterpart text not null,
  currency text not null,
  amount bigint not null,
  reason text not null,
  source text not null,
  at timestamp with time zone not null,
  constraint entries_amount_check CHECK ((amount <> 0)),
  constraint entries_check CHECK ((owner <> counterpart)),
  constraint entries_once UNIQUE (reason, source, currency, owner, counterpart),
  constraint entries_pkey PRIMARY KEY (owner, id)
);

create table inbox (
  consumer text not null,
  fact_id uuid not null,
  "position" bigint not null generated always as identity,
  type text not null,
  version integer not null,
  aggregate text not null,
  at timestamp with time zone not null,
  request_id text,
  actor uuid,
  payload json not null,
  received_at timestamp with time zone not null,
  handled_at timestamp with time zone,
  tries integer not null default 0,
  next_try_at timestamp with time zone,
  dead_at timestamp with time zone,
  cause text,
  constraint inbox_pkey PRIMARY KEY (consumer, fact_id)
);

create table outbox (
  id bigint not null generated always as identity,
  fact_id uuid not null,
  type text not null,
  version integer not null,
  aggregate text not null,
  at timestamp with time zone not null,
  request_id text,
  actor uuid,
  payload json not null,
  sent_at timestamp with time zone,
  constraint outbox_pkey PRIMARY KEY (id, at)
) partition by RANGE (at);
-- partition outbox_default DEFAULT

CREATE INDEX entries_paid ON gamification.entries USING btree (owner, reason, at) INCLUDE (amount);
CREATE INDEX inbox_handled ON gamification.inbox USING btree (handled_at) WHERE (handled_at IS NOT NULL);
CREATE INDEX inbox_held ON gamification.inbox USING btree (consumer, aggregate, "position") WHERE ((handled_at IS NULL) AND (tries > 0));
CREATE INDEX inbox_waiting ON gamification.inbox USING btree (consumer, "position") WHERE (handled_at IS NULL);
CREATE INDEX outbox_unsent ON ONLY gamification.outbox USING btree (id) WHERE (sent_at IS NULL);

alter table entries add constraint entries_owner_currency_fkey FOREIGN KEY (owner, currency) REFERENCES accounts(owner, currency);

CREATE OR REPLACE FUNCTION gamification.entries_balanced()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	if exists (select 1 from added group by id having sum(amount) <> 0 or count(*) <> 2 or count(distinct currency) <> 1) then
		raise exception 'both legs of a transfer are written by one statement, and their sum is zero' using errcode = 'check_violation';
	end if;
	return null;
end $function$;

CREATE OR REPLACE FUNCTION gamification.entries_stay()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	raise exception 'the ledger is append-only: correct an entry by another one' using errcode = 'restrict_violation';
end $function$;

CREATE OR REPLACE FUNCTION gamification.outbox_told()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	perform pg_notify(tg_table_schema || '_outbox', '');
	return null;
end $function$;

CREATE TRIGGER entries_balanced AFTER INSERT ON gamification.entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entries_balanced();
CREATE TRIGGER entries_stay BEFORE DELETE OR UPDATE OR TRUNCATE ON gamification.entries FOR EACH STATEMENT EXECUTE FUNCTION entries_stay();
CREATE TRIGGER outbox_told AFTER INSERT ON gamification.outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_told();
