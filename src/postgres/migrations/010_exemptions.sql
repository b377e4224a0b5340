-- Up Migration

-- Who the ladder does not apply to, by an operator's decision. Ended ones stay, so that it can be told who was exempt when.
CREATE TABLE exemption (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  identity_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('break-glass', 'service', 'trusted-integration', 'opt-out', 'other')),
  reason text NOT NULL,
  -- Who answers for it: an opaque id or the name of a team.
  owner text NOT NULL,
  -- It stays in force after this time, and shows in the work list.
  review_at timestamptz NOT NULL,
  set_by text NOT NULL,
  set_at timestamptz NOT NULL,
  ended_at timestamptz,
  -- Makes repeating the decision harmless.
  request_id text,
  UNIQUE (identity_id, request_id)
);
CREATE UNIQUE INDEX exemption_in_force ON exemption (identity_id) WHERE ended_at IS NULL;
CREATE INDEX exemption_review ON exemption (review_at, id) WHERE ended_at IS NULL;

-- What the work list reads: few rows of many.
CREATE INDEX standing_blocked ON standing (blocked_by, identity_id)
  WHERE blocked_by IN ('parked', 'no-notice', 'disabled-by-admin');
CREATE INDEX standing_held ON standing (identity_id) WHERE document ? 'hold';
CREATE INDEX standing_warnings ON standing (identity_id) WHERE jsonb_array_length(document -> 'warnings') > 0;
