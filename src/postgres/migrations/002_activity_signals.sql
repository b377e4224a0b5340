-- Up Migration

-- What the entrance needs to know to tell whether a sign of life must reach the workflow at once.
ALTER TABLE standing
  -- Something was done, begun, announced or parked: a sign of life changes more than the clock.
  ADD COLUMN off_bottom boolean NOT NULL DEFAULT true,
  -- At the bottom of the ladder, a workflow hears of activity at most once in this many milliseconds.
  ADD COLUMN signal_window_ms bigint NOT NULL DEFAULT 0;

-- When the workflow of an identity was last told of activity.
CREATE TABLE activity_signal (
  identity_id uuid PRIMARY KEY,
  signalled_at timestamptz NOT NULL
) WITH (fillfactor = 80);
