-- Up Migration

-- Operators who are signed in at the desk (docs/desk.md). The cookie holds a random secret; here is its SHA-256.
CREATE TABLE operator_session (
  session_hash bytea PRIMARY KEY CHECK (octet_length(session_hash) = 32),
  actor text NOT NULL CHECK (actor LIKE 'oidc:%'),
  scopes text[] NOT NULL,
  signed_in_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX operator_session_used ON operator_session (last_used_at);
