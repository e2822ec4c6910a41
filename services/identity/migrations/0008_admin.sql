-- Up Migration

-- Why an account is banned, since when, by whom; and what it was before, and is again afterwards.
alter table accounts
	add column ban_reason text,
	add column banned_at timestamptz,
	add column banned_by uuid,
	add column state_before_ban text,
	add column state_before_trash text;

-- The audit as one chain: each entry's hash is of the one before it and of its own words, so that a removed or changed one shows.
alter table audit
	add column before json,
	add column after json,
	add column personal json, -- what of it names a person, with a salt: goes with them; its hash stays
	add column personal_hash bytea,
	add column seq bigint,
	add column hash bytea;
create table audit_head (
	one boolean primary key default true check (one),
	seq bigint not null,
	hash bytea not null
);
insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

drop trigger audit_kept on audit;
update audit set
	personal = json_build_object('salt', gen_random_uuid(), 'after', detail),
	detail = json_build_object('accountId', detail -> 'accountId')
where action = 'session.reuse';
update audit set personal_hash = sha256(convert_to(personal::text, 'UTF8')) where personal is not null;

-- The words that are hashed. The same expression is in store/audit.ts, whose reader does not ask this one.
create function audit_words(entry audit) returns text language sql stable as $$
	select json_build_array(entry.seq, entry.id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.actor, entry.action,
		entry.target, entry.request_id, entry.before, entry.after, entry.detail, encode(entry.personal_hash, 'hex'))::text
$$;

create function audit_link(entry_id uuid) returns void language plpgsql as $$
declare
	head audit_head;
	entry audit;
begin
	select * into head from audit_head for update;
	select * into entry from audit where id = entry_id;
	entry.seq := head.seq + 1;
	entry.hash := sha256(head.hash || convert_to(audit_words(entry), 'UTF8'));
	update audit set seq = entry.seq, hash = entry.hash where id = entry_id;
	update audit_head set seq = entry.seq, hash = entry.hash;
end $$;

-- Those of before get into the chain in the order in which they came.
do $$
declare
	old uuid;
begin
	for old in select id from audit order by at, id loop
		perform audit_link(old);
	end loop;
end $$;
create unique index audit_seq on audit (seq);
create index audit_target on audit (target, seq desc);
create index audit_actor on audit (actor, seq desc);

-- At the commit: the head is locked for no longer than that, whatever else the transaction had to wait for.
create function audit_chained() returns trigger language plpgsql as $$
begin
	perform audit_link(new.id);
	return null;
end $$;
create constraint trigger audit_chained after insert on audit deferrable initially deferred for each row execute function audit_chained();

-- An entry stays as it is, but for two things: it gets its place in the chain, and what names a person goes with them.
create or replace function audit_kept() returns trigger language plpgsql as $$
declare
	same audit;
begin
	if tg_op = 'UPDATE' then
		same := new;
		if old.hash is null then
			same.seq := null;
			same.hash := null;
		elsif new.personal is null then
			same.personal := old.personal;
		end if;
		if same::text = old::text then
			return new;
		end if;
	end if;
	raise exception 'audit entries are kept as they are';
end $$;
create trigger audit_kept before update or delete on audit for each row execute function audit_kept();
create trigger audit_whole before truncate on audit for each statement execute function audit_kept();

-- Down Migration
drop trigger audit_whole on audit;
drop trigger audit_kept on audit;
drop trigger audit_chained on audit;
create or replace function audit_kept() returns trigger language plpgsql as $$
begin
	raise exception 'audit entries are kept as they are';
end $$;
create trigger audit_kept before update or delete or truncate on audit for each statement execute function audit_kept();
drop function audit_chained();
drop function audit_link(uuid);
drop function audit_words(audit);
drop table audit_head;
alter table audit
	drop column before, drop column after, drop column personal, drop column personal_hash, drop column seq, drop column hash;
alter table accounts
	drop column ban_reason, drop column banned_at, drop column banned_by, drop column state_before_ban, drop column state_before_trash;
