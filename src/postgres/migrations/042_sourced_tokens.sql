-- Up Migration

-- Tokens in apps' own tables that the engine ended, or was about to end when it stopped (docs/personal-access-tokens.md). The app's id of
-- a token may be anything, so only its SHA-256 is here.
CREATE TABLE sourced_token (
  source text NOT NULL CHECK (source ~ '^[a-z][a-z0-9-]{0,31}$'),
  id_hash text NOT NULL CHECK (id_hash ~ '^[0-9a-f]{64}$'),
  identity_id uuid NOT NULL,
  -- The line of the audit log, which is written once the end was verified.
  entry jsonb NOT NULL,
  -- The use that the end rests on: after a use the token is another matter.
  last_used_at timestamptz,
  attempts integer NOT NULL DEFAULT 1 CHECK (attempts > 0),
  intended_at timestamptz NOT NULL,
  -- When the end was verified. Null: not yet.
  settled_at timestamptz,
  PRIMARY KEY (source, id_hash)
);
CREATE INDEX sourced_token_identity ON sourced_token (identity_id);
CREATE INDEX sourced_token_intended ON sourced_token (intended_at);
