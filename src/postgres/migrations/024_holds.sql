-- Up Migration

-- Operators' holds: they outlive the workflow that took the request, and the burial of the identity. Those that ended stay, so
-- that it can be told who was on hold when.
CREATE TABLE identity_hold (
  identity_id uuid NOT NULL,
  -- Names it among the holds of its identity, never given twice: h1, h2 and so on.
  hold_id text NOT NULL CHECK (hold_id ~ '^h[1-9][0-9]{0,8}$'),
  -- Absent: set before there were kinds.
  kind text CHECK (kind IN ('leave', 'legal', 'other')),
  reason text NOT NULL,
  set_by text NOT NULL,
  set_at timestamptz NOT NULL,
  until timestamptz NOT NULL,
  released_at timestamptz,
  -- Makes repeating the request harmless.
  request_key text,
  PRIMARY KEY (identity_id, hold_id),
  UNIQUE (identity_id, request_key)
);
CREATE INDEX identity_hold_standing ON identity_hold (identity_id, until) WHERE released_at IS NULL;
