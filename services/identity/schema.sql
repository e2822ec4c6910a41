-- The schema of identity as its migrations leave it. Written by: npm run migrate -- dump
-- Besides: what every node has (mixins/migrations), and the part jobs.

create table accounts (
  id uuid not null,
  email text not null,
  password_hash text not null,
  state text not null,
  role text not null,
  phone text,
  language text,
  banned_until timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
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
  constraint audit_pkey PRIMARY KEY (id)
);

create table login_failures (
  email_hash bytea not null,
  address text not null,
  at timestamp with time zone not null
);

create table profiles (
  id uuid not null,
  account_id uuid not null,
  display_name text not null,
  kind text not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint profiles_pkey PRIMARY KEY (id)
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
  account_id uuid not null,
  profile_id uuid not null,
  device text not null,
  address text not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  end_reason text,
  constraint sessions_pkey PRIMARY KEY (id)
);

create table signing_keys (
  id text not null,
  public_jwk json not null,
  private_sealed bytea not null,
  created_at timestamp with time zone not null,
  signs_from timestamp with time zone not null,
  retired_at timestamp with time zone not null,
  constraint signing_keys_pkey PRIMARY KEY (id)
);

CREATE INDEX audit_at ON identity.audit USING btree (at DESC);
CREATE INDEX login_failures_account ON identity.login_failures USING btree (email_hash, address, at);
CREATE INDEX login_failures_address ON identity.login_failures USING btree (address, at);
CREATE INDEX login_failures_at ON identity.login_failures USING btree (at);
CREATE INDEX profiles_account ON identity.profiles USING btree (account_id, id);
CREATE INDEX refresh_tokens_session ON identity.refresh_tokens USING btree (session_id);
CREATE INDEX sessions_account ON identity.sessions USING btree (account_id, id DESC) WHERE (ended_at IS NULL);
CREATE INDEX sessions_ended ON identity.sessions USING btree (ended_at) WHERE (ended_at IS NOT NULL);

alter table profiles add constraint profiles_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table refresh_tokens add constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE;
alter table sessions add constraint sessions_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE;
alter table sessions add constraint sessions_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES profiles(id) ON DELETE CASCADE;

CREATE OR REPLACE FUNCTION identity.audit_kept()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
	raise exception 'audit entries are kept as they are';
end $function$;

CREATE TRIGGER audit_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON identity.audit FOR EACH STATEMENT EXECUTE FUNCTION audit_kept();
