-- Up Migration

-- The ledger, double-entry: whatever somebody gets, the issuer gives. Currencies never mix.
create table accounts (
	owner text not null, -- a profile's id, or the name of a system account
	currency text not null check (currency in ('xp', 'points', 'coins')),
	kind text not null check (kind in ('profile', 'system')),
	-- The sum of the account's entries. A system account stands behind every payment there is: kept as a row, its balance
	-- would make all of them wait for each other, so it is only ever summed up.
	balance bigint check ((balance is null) = (kind = 'system')),
	primary key (owner, currency)
);
insert into accounts (owner, currency, kind) values ('issuer', 'xp', 'system'), ('issuer', 'points', 'system'), ('issuer', 'coins', 'system');

create table entries (
	id uuid not null, -- of the transfer: its two legs share it
	owner text not null,
	counterpart text not null,
	currency text not null,
	amount bigint not null check (amount <> 0),
	reason text not null,
	source text not null,
	at timestamptz not null, -- of what it was paid for
	primary key (owner, id),
	foreign key (owner, currency) references accounts (owner, currency),
	check (owner <> counterpart),
	-- What was paid for is paid once, however often it is heard of.
	constraint entries_once unique (reason, source, currency, owner, counterpart)
);
create index entries_paid on entries (owner, reason, at) include (amount);

create function entries_balanced() returns trigger language plpgsql as $$
begin
	if exists (select 1 from added group by id having sum(amount) <> 0 or count(*) <> 2 or count(distinct currency) <> 1) then
		raise exception 'both legs of a transfer are written by one statement, and their sum is zero' using errcode = 'check_violation';
	end if;
	return null;
end $$;
create trigger entries_balanced after insert on entries referencing new table as added for each statement execute function entries_balanced();

create function entries_stay() returns trigger language plpgsql as $$
begin
	raise exception 'the ledger is append-only: correct an entry by another one' using errcode = 'restrict_violation';
end $$;
create trigger entries_stay before update or delete or truncate on entries for each statement execute function entries_stay();

-- Down Migration
drop table entries, accounts;
drop function entries_stay();
drop function entries_balanced();
