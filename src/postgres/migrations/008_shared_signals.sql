-- Up Migration

-- Security events on their way to receivers (Shared Signals). A row is written in the transaction of its audit row, one
-- for each receiver that wants the event, and stays until it was accepted.
CREATE TABLE signal_outbox (
  -- The same for every attempt: receivers tell repetitions by it.
  jti text PRIMARY KEY,
  receiver text NOT NULL,
  signal text NOT NULL,
  identity_id uuid NOT NULL,
  audit_seq bigint NOT NULL,
  occurred_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'parked')),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT to_timestamp(0),
  -- What the last attempt came to, as "503" or "400 invalid_audience". Never the receiver's own words.
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz
);
CREATE INDEX signal_outbox_pending ON signal_outbox (receiver, audit_seq) WHERE state = 'pending';
CREATE INDEX signal_outbox_order ON signal_outbox (receiver, identity_id, audit_seq) WHERE state = 'pending';
CREATE INDEX signal_outbox_settled ON signal_outbox (state, settled_at);
