-- Up Migration

-- Which versions of policies were taken to the people who are due earlier by them (docs/policies.md). A version without a row was not yet.
CREATE TABLE policy_rollout (
  policy_id text NOT NULL,
  version integer NOT NULL,
  state text NOT NULL CHECK (state IN ('waking', 'paused', 'done', 'superseded', 'cancelled')),
  started_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  -- Sleeping lifecycles that were read; those that are due earlier; those that were woken; those that could not be.
  seen integer NOT NULL CHECK (seen >= 0),
  earlier integer NOT NULL CHECK (earlier >= 0),
  woken integer NOT NULL CHECK (woken >= 0),
  failed integer NOT NULL CHECK (failed >= 0),
  PRIMARY KEY (policy_id, version),
  FOREIGN KEY (policy_id, version) REFERENCES policy (id, version)
);
