-- Up Migration

-- Under which addresses somebody who was deactivated may ask for the link back, as keyed hashes: whoever signs in by another
-- provider, or without a password, has no credential that is called like the address.
CREATE TABLE return_address (
  identity_id uuid NOT NULL,
  address_hash bytea NOT NULL,
  PRIMARY KEY (identity_id, address_hash)
);
CREATE INDEX return_address_hash ON return_address (address_hash);
