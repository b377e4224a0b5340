-- Up Migration

-- One data key an identity, wrapped by a master key that is not in the database. Deleting the row makes everything that
-- was sealed for the identity unreadable, wherever copies of it are.
CREATE TABLE identity_key (
  identity_id uuid PRIMARY KEY,
  -- Version, nonce, ciphertext and tag; see src/keys/sealing.ts.
  wrapped bytea NOT NULL,
  -- Which master key: the beginning of its hash, never the key.
  master_key_id text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX identity_key_master ON identity_key (master_key_id, identity_id);
