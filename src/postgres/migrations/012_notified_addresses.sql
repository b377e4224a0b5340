-- Up Migration

-- One random key an identity. It is destroyed when the identity is buried, and with it what was sealed under it.
CREATE TABLE address_key (
  identity_id uuid PRIMARY KEY,
  key bytea NOT NULL
);

-- To which addresses a notice went, while it runs: as a keyed hash to compare, and sealed to write to once more.
CREATE TABLE notified_address (
  identity_id uuid NOT NULL,
  request_key text NOT NULL,
  address_hash bytea NOT NULL,
  sealed bytea NOT NULL,
  notified_at timestamptz NOT NULL,
  -- When the address was told that it is no longer the account's.
  change_told_at timestamptz,
  PRIMARY KEY (identity_id, request_key, address_hash)
);
