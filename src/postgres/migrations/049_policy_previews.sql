-- Up Migration

-- What the people who follow a policy answered to a text before it was published: numbers, and nobody's id. A publication names the
-- preview that it rests on (docs/policy-preview.md).
CREATE TABLE policy_preview (
  hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
  policy_id text NOT NULL CHECK (length(policy_id) <= 32),
  -- Of the text that was looked at, and of the one in force then.
  policy_hash text NOT NULL CHECK (policy_hash ~ '^[0-9a-f]{64}$'),
  in_force text NOT NULL CHECK (length(in_force) <= 64),
  answer jsonb NOT NULL CHECK (pg_column_size(answer) <= 8192),
  made_at timestamptz NOT NULL CHECK (made_at BETWEEN '1970-01-01Z' AND '3000-01-01Z')
);
CREATE INDEX policy_preview_made_at ON policy_preview (made_at);
