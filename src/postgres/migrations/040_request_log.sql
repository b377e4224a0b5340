-- Up Migration

-- What apps log of requests with access tokens, for the people themselves and for whoever looks for a fault (docs/inactive-tokens.md). No
-- evidence: an app writes here, and the audit log is elsewhere.
CREATE TABLE request_log (
  log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL CHECK (at BETWEEN '1970-01-01Z' AND '3000-01-01Z'),
  category text NOT NULL CHECK (category IN ('AUDIT', 'SECURITY', 'ERROR')),
  -- The app that wrote it.
  app text NOT NULL CHECK (app ~ '^[a-z][a-z0-9-]{0,31}$'),
  -- Null: nobody is known.
  identity_id uuid,
  event text NOT NULL CHECK (length(event) <= 64),
  method text CHECK (length(method) <= 16),
  -- Without query, and with placeholders for whatever could name somebody.
  path text CHECK (length(path) <= 256),
  status smallint CHECK (status BETWEEN 100 AND 599),
  reason text CHECK (length(reason) <= 64)
);
CREATE INDEX request_log_at ON request_log (at);
CREATE INDEX request_log_identity ON request_log (identity_id, log_id DESC);
CREATE INDEX request_log_app ON request_log (app, log_id DESC);
