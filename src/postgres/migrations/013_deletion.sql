-- Up Migration

-- What was done to the identity: an anonymised one is still in Kratos, as an empty shell that nobody looks after.
ALTER TABLE tombstone
  ADD COLUMN action text NOT NULL DEFAULT 'delete' CHECK (action IN ('delete', 'anonymise'));

-- Identifiers of deleted accounts that can't be registered again yet. A keyed hash (HMAC): without the key it says nothing.
CREATE TABLE retired_identifier (
  identifier_hash bytea PRIMARY KEY,
  until timestamptz NOT NULL
);
CREATE INDEX retired_identifier_until ON retired_identifier (until);
