-- Up Migration

-- The wallet of somebody who was erased: of nobody now, and still part of every sum.
alter table accounts drop constraint accounts_kind_check, add constraint accounts_kind_check check (kind in ('profile', 'system', 'erased'));

-- An entry stays as it is, but whose it was may be forgotten: the owner becomes one that leads to nobody, and never comes back.
drop trigger entries_stay on entries;
create trigger entries_stay before delete or truncate on entries for each statement execute function entries_stay();
create function entries_kept() returns trigger language plpgsql as $$
begin
	if (new.id, new.currency, new.amount, new.reason, new.source, new.at) is distinct from (old.id, old.currency, old.amount, old.reason, old.source, old.at)
		or not (new.owner = old.owner or (new.owner like 'erased:%' and old.owner ~ '^[0-9a-f-]{36}$'))
		or not (new.counterpart = old.counterpart or (new.counterpart like 'erased:%' and old.counterpart ~ '^[0-9a-f-]{36}$'))
	then
		raise exception 'the ledger is append-only: correct an entry by another one' using errcode = 'restrict_violation';
	end if;
	return new;
end $$;
create trigger entries_kept before update on entries for each row execute function entries_kept();

-- Down Migration
drop trigger entries_kept on entries;
drop function entries_kept();
drop trigger entries_stay on entries;
create trigger entries_stay before update or delete or truncate on entries for each statement execute function entries_stay();
update accounts set kind = 'profile' where kind = 'erased';
alter table accounts drop constraint accounts_kind_check, add constraint accounts_kind_check check (kind in ('profile', 'system'));
