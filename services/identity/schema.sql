-- The schema of identity as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the parts jobs, work.

create table accounts (
  id uuid not null,
  email text not null,
  password_hash text,
  state text not null,
  role text not null,
  phone text,
  language text,
  banned_until timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  verified_at timestamp with time zone,
  time_zone text,
  ban_reason text,
  banned_at timestamp with time zone,
  banned_by uuid,
  state_before_ban text,
  state_before_trash text,
  constraint accounts_email UNIQUE (email),
  constraint accounts_pkey PRIMARY KEY (id)
);

create table audit (
  id uuid not null,
  at timestamp with time zone not null,
  actor uuid,
  action text not null,
  target text not null,
  request_id text,
  detail json not null,
  before json,
  after json,
  personal json,
  personal_hash bytea,
  seq bigint,
  hash bytea,
  constraint audit_pkey PRIMARY KEY (id)
);

create table audit_head (
  one boolean not null default true,
  seq bigint not null,
  hash bytea not null,
  constraint audit_head_one_check CHECK (one),
  constraint audit_head_pkey PRIMARY KEY (one)
);

create table client_sessions (
  id uuid not null,
  client_id uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint client_sessions_pkey PRIMARY KEY (id)
);

create table clients (
  id uuid not null,
  name text not null,
  scopes text[] not null,
  secret_hash bytea not null,
  created_at timestamp with time zone not null,
  rotated_at timestamp with time zone,
  last_used_at timestamp with time zone,
  constraint clients_pkey PRIMARY KEY (id)
);

create table deleted_profiles (
  id uuid not null,
  deleted_at timestamp with time zone not null,
  constraint deleted_profiles_pkey PRIMARY KEY (id)
);

create table directory_users (
  issuer text not null,
  subject text not null,
  version bigint not null,
  deleted_at timestamp with time zone,
  constraint directory_users_pkey PRIMARY KEY (issuer, subject)
);

create table export_parts (
  export_id uuid not null,
  no integer not null,
  bytes bytea not null,
  constraint export_parts_pkey PRIMARY KEY (export_id, no)
);

create table exports (
  id uuid not null,
  account_id uuid not null,
  attempt uuid not null,
  size bigint,
  parts integer,
  made_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  constraint exports_pkey PRIMARY KEY (id)
);

create table former_profiles (
  id uuid not null,
  account_id uuid not null,
  constraint former_profiles_pkey PRIMARY KEY (id)
);

create table identities (
  id uuid not null,
  account_id uuid not null,
  provider text not null,
  issuer text not null,
  subject text not null,
  email text,
  name text,
  proven boolean not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  constraint identities_pkey PRIMARY KEY (id),
  constraint identities_subject UNIQUE (issuer, subject)
);

create table login_failures (
  email_hash bytea not null,
  address text not null,
  at timestamp with time zone not null
);

create table mail_codes (
  id uuid not null,
  account_id uuid not null,
  purpose text not null,
  email text not null,
  code_hash bytea not null,
  link_hash bytea not null,
  tries integer not null default 0,
  created_at timestamp with time zone not null,
  code_until timestamp with time zone not null,
  link_until timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint mail_codes_link UNIQUE (link_hash),
  constraint mail_codes_pkey PRIMARY KEY (id)
);

create table mfa_failures (
  account_id uuid not null,
  address text not null,
  kind text not null,
  at timestamp with time zone not null
);

create table mfa_tickets (
  hash bytea not null,
  account_id uuid not null,
  proof bytea not null,
  failures integer not null,
  expires_at timestamp with time zone not null,
  constraint mfa_tickets_pkey PRIMARY KEY (hash)
);

create table passkey_challenges (
  hash bytea not null,
  purpose text not null,
  account_id uuid,
  expires_at timestamp with time zone not null,
  constraint passkey_challenges_pkey PRIMARY KEY (hash)
);

create table passkeys (
  id uuid not null,
  account_id uuid not null,
  credential_id text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  backed_up boolean not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  constraint passkeys_credential UNIQUE (credential_id),
  constraint passkeys_pkey PRIMARY KEY (id)
);

create table profiles (
  id uuid not null,
  account_id uuid not null,
  display_name text not null,
  kind text not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  bio text,
  avatar uuid,
  folded text,
  pieces text[],
  constraint profiles_pkey PRIMARY KEY (id)
);

create table recovery_codes (
  account_id uuid not null,
  hash bytea not null,
  constraint recovery_codes_pkey PRIMARY KEY (account_id, hash)
);

create table refresh_tokens (
  hash bytea not null,
  session_id uuid not null,
  created_at timestamp with time zone not null,
  used_at timestamp with time zone,
  used_device text,
  successor bytea,
  constraint refresh_tokens_pkey PRIMARY KEY (hash)
);

create table sessions (
  id uuid not null,
  account_id uuid,
  profile_id uuid,
  device text not null,
  address text not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  end_reason text,
  auth_time timestamp with time zone,
  acr text not null default '1'::text,
  constraint sessions_pkey PRIMARY KEY (id)
);

create table sign_in_codes (
  hash bytea not null,
  account_id uuid,
  created boolean not null,
  provider text not null,
  claimed json,
  challenge text,
  expires_at timestamp with time zone not null,
  proved_at timestamp with time zone,
  constraint sign_in_codes_pkey PRIMARY KEY (hash)
);

create table signing_keys (
  id text not null,
  public_jwk json not null,
  private_sealed bytea not null,
  created_at timestamp with time zone not null,
  signs_from timestamp with time zone not null,
  retired_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  constraint signing_keys_pkey PRIMARY KEY (id)
);

create table terms (
  id uuid not null,
  version text not null,
  requires_acceptance boolean not null,
  texts json not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  published_at timestamp with time zone,
  constraint terms_pkey PRIMARY KEY (id),
  constraint terms_version UNIQUE (version)
);

create table terms_acceptances (
  account_id uuid not null,
  terms_id uuid not null,
  accepted_at timestamp with time zone not null,
  constraint terms_acceptances_pkey PRIMARY KEY (account_id, terms_id)
);

create table totps (
  account_id uuid not null,
  secret_sealed bytea not null,
  created_at timestamp with time zone not null,
  confirmed_at timestamp with time zone,
  used_steps bigint[] not null default '{}'::bigint[],
  constraint totps_pkey PRIMARY KEY (account_id)
);

create table webhooks_heard (
  source text not null,
  id text not null,
  at timestamp with time zone not null,
  constraint webhooks_heard_pkey PRIMARY KEY (source, id)
);

CREATE INDEX audit_actor ON identity.audit USING btree (actor, seq DESC);
CREATE INDEX audit_at ON identity.audit USING btree (at DESC);
CREATE UNIQUE INDEX audit_seq ON identity.audit USING btree (seq);
CREATE INDEX audit_target ON identity.audit USING btree (target, seq DESC);
CREATE INDEX client_sessions_client ON identity.client_sessions USING btree (client_id) WHERE (ended_at IS NULL);
CREATE INDEX client_sessions_ended ON identity.client_sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX client_sessions_expires ON identity.client_sessions USING btree (expires_at);
CREATE INDEX deleted_profiles_at ON identity.deleted_profiles USING btree (deleted_at);
CREATE INDEX exports_expires ON identity.exports USING btree (expires_at);
CREATE INDEX former_profiles_account ON identity.former_profiles USING btree (account_id);
CREATE INDEX identities_account ON identity.identities USING btree (account_id, id);
CREATE INDEX login_failures_account ON identity.login_failures USING btree (email_hash, address, at);
CREATE INDEX login_failures_address ON identity.login_failures USING btree (address, at);
CREATE INDEX login_failures_at ON identity.login_failures USING btree (at);
CREATE INDEX mail_codes_account ON identity.mail_codes USING btree (account_id, created_at);
CREATE INDEX mail_codes_created ON identity.mail_codes USING btree (created_at);
CREATE INDEX mail_codes_email ON identity.mail_codes USING btree (email) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX mail_codes_live ON identity.mail_codes USING btree (account_id, purpose) WHERE (ended_at IS NULL);
CREATE INDEX mfa_failures_account ON identity.mfa_failures USING btree (account_id, at);
CREATE INDEX mfa_failures_at ON identity.mfa_failures USING btree (at);
CREATE INDEX mfa_tickets_account ON identity.mfa_tickets USING btree (account_id);
CREATE INDEX mfa_tickets_expire ON identity.mfa_tickets USING btree (expires_at);
CREATE INDEX passkey_challenges_account ON identity.passkey_challenges USING btree (account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX passkey_challenges_expire ON identity.passkey_challenges USING btree (expires_at);
CREATE INDEX passkeys_account ON identity.passkeys USING btree (account_id, id);
CREATE INDEX profiles_account ON identity.profiles USING btree (account_id, id);
CREATE INDEX profiles_kind ON identity.profiles USING btree (kind, id DESC);
CREATE INDEX profiles_pieces ON identity.profiles USING gin (pieces);
CREATE INDEX profiles_unfolded ON identity.profiles USING btree (id) WHERE (folded IS NULL);
CREATE INDEX refresh_tokens_session ON identity.refresh_tokens USING btree (session_id);
CREATE INDEX sessions_account ON identity.sessions USING btree (account_id, id DESC) WHERE (ended_at IS NULL);
CREATE INDEX sessions_ended ON identity.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX sessions_profile ON identity.sessions USING btree (profile_id) WHERE (ended_at IS NULL);
CREATE INDEX sessions_strong ON identity.sessions USING btree (account_id, address) WHERE (acr = '2'::text);
CREATE INDEX sign_in_codes_account ON identity.sign_in_codes USING btree (account_id);
CREATE INDEX sign_in_codes_expiry ON identity.sign_in_codes USING btree (expires_at);
CREATE INDEX terms_published ON identity.terms USING btree (published_at DESC) WHERE (published_at IS NOT NULL);
CREATE INDEX webhooks_heard_at ON identity.webhooks_heard USING btree (at);

alter table export_parts add constraint export_parts_export_id_fkey FOREIGN KEY (export_id) REFERENCES exports(id) ON DELETE CASCADE;
alter table exports add constraint exports_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table former_profiles add constraint former_profiles_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table identities add constraint identities_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table mail_codes add constraint mail_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table mfa_failures add constraint mfa_failures_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table mfa_tickets add constraint mfa_tickets_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table passkey_challenges add constraint passkey_challenges_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table passkeys add constraint passkeys_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table profiles add constraint profiles_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table recovery_codes add constraint recovery_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table refresh_tokens add constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE;
alter table sessions add constraint sessions_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table sign_in_codes add constraint sign_in_codes_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table terms_acceptances add constraint terms_acceptances_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table terms_acceptances add constraint terms_acceptances_terms_id_fkey FOREIGN KEY (terms_id) REFERENCES terms(id);
alter table totps add constraint totps_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;

CREATE OR REPLACE FUNCTION identity.audit_chained()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	perform audit_link(new.id);
	return null;
end $function$;

CREATE OR REPLACE FUNCTION identity.audit_kept()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION identity.audit_link(entry_id uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION identity.audit_words(entry audit)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
	select json_build_array(entry.seq, entry.id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.actor, entry.action,
		entry.target, entry.request_id, entry.before, entry.after, entry.detail, encode(entry.personal_hash, 'hex'))::text
$function$;

CREATE OR REPLACE FUNCTION identity.profile_deleted()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	-- Not where the account itself is going.
	insert into former_profiles (id, account_id) select old.id, id from accounts where id = old.account_id on conflict do nothing;
	return null;
end $function$;

CREATE OR REPLACE FUNCTION identity.terms_kept()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	raise exception 'published terms are kept as they are';
end $function$;

CREATE CONSTRAINT TRIGGER audit_chained AFTER INSERT ON identity.audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_chained();
CREATE TRIGGER audit_kept BEFORE DELETE OR UPDATE ON identity.audit FOR EACH ROW EXECUTE FUNCTION audit_kept();
CREATE TRIGGER audit_whole BEFORE TRUNCATE ON identity.audit FOR EACH STATEMENT EXECUTE FUNCTION audit_kept();
CREATE TRIGGER profile_deleted AFTER DELETE ON identity.profiles FOR EACH ROW EXECUTE FUNCTION profile_deleted();
CREATE TRIGGER terms_kept BEFORE DELETE OR UPDATE ON identity.terms FOR EACH ROW WHEN ((old.published_at IS NOT NULL)) EXECUTE FUNCTION terms_kept();
