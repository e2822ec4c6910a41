-- The schema of gamification as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations).

create table accounts (
  owner text not null,
  currency text not null,
  kind text not null,
  balance bigint,
  constraint accounts_check CHECK (((balance IS NULL) = (kind = 'system'::text))),
  constraint accounts_currency_check CHECK ((currency = ANY (ARRAY['xp'::text, 'points'::text, 'coins'::text]))),
  constraint accounts_kind_check CHECK ((kind = ANY (ARRAY['profile'::text, 'system'::text, 'erased'::text]))),
  constraint accounts_pkey PRIMARY KEY (owner, currency)
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

CREATE INDEX entries_paid ON gamification.entries USING btree (owner, reason, at) INCLUDE (amount);

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

CREATE OR REPLACE FUNCTION gamification.entries_kept()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	if (new.id, new.currency, new.amount, new.reason, new.source, new.at) is distinct from (old.id, old.currency, old.amount, old.reason, old.source, old.at)
		or not (new.owner = old.owner or (new.owner like 'erased:%' and old.owner ~ '^[0-9a-f-]{36}$'))
		or not (new.counterpart = old.counterpart or (new.counterpart like 'erased:%' and old.counterpart ~ '^[0-9a-f-]{36}$'))
	then
		raise exception 'the ledger is append-only: correct an entry by another one' using errcode = 'restrict_violation';
	end if;
	return new;
end $function$;

CREATE OR REPLACE FUNCTION gamification.entries_stay()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	raise exception 'the ledger is append-only: correct an entry by another one' using errcode = 'restrict_violation';
end $function$;

CREATE TRIGGER entries_balanced AFTER INSERT ON gamification.entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entries_balanced();
CREATE TRIGGER entries_kept BEFORE UPDATE ON gamification.entries FOR EACH ROW EXECUTE FUNCTION entries_kept();
CREATE TRIGGER entries_stay BEFORE DELETE OR TRUNCATE ON gamification.entries FOR EACH STATEMENT EXECUTE FUNCTION entries_stay();
