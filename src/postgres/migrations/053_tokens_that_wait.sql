-- Up Migration

-- Tokens that are over a limit and whose end the breaker holds, as the latest sweep found them: for operators, who decide about them.
-- Nothing rests on it. The key is that under which the breaker counts the end.
CREATE TABLE breaker_waiting_token (
  act_key text PRIMARY KEY CHECK (length(act_key) <= 200),
  -- The sweep: what one policy, or one table of an app, has due.
  sweep text NOT NULL CHECK (length(sweep) <= 200),
  action text NOT NULL CHECK (action IN ('endPersonal', 'endRefresh')),
  identity_id uuid NOT NULL,
  token text NOT NULL CHECK (length(token) <= 64),
  why text NOT NULL CHECK (length(why) <= 32),
  waits_since timestamptz NOT NULL CHECK (waits_since BETWEEN '1970-01-01Z' AND '3000-01-01Z'),
  found_at timestamptz NOT NULL CHECK (found_at BETWEEN '1970-01-01Z' AND '3000-01-01Z')
);
CREATE INDEX breaker_waiting_token_found ON breaker_waiting_token (sweep, found_at);
CREATE INDEX breaker_waiting_token_identity ON breaker_waiting_token (identity_id);
