-- Up Migration

-- When somebody who steps up at an issuer proved there who they are.
alter table sign_in_codes add column proved_at timestamptz;

-- Down Migration
alter table sign_in_codes drop column proved_at;
