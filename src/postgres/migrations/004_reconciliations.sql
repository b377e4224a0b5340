-- Up Migration

-- What each reconciliation with Kratos did; kept when Temporal's own history is past its retention.
CREATE TABLE reconciliation (
  run_id text PRIMARY KEY,
  workflow_id text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  counts jsonb NOT NULL
);
CREATE INDEX reconciliation_started_at ON reconciliation (started_at);
