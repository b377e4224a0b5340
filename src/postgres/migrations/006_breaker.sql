-- Up Migration

-- Destructive acts that the breaker let through. Kept for as long as the window that they are counted in.
CREATE TABLE breaker_grant (
  -- The same for every attempt at the same act.
  act_key text PRIMARY KEY,
  action text NOT NULL CHECK (action IN ('revoke', 'deactivate', 'delete')),
  identity_id uuid NOT NULL,
  granted_at timestamptz NOT NULL
);
CREATE INDEX breaker_grant_action ON breaker_grant (action, granted_at);

-- Each time that the breaker stopped one kind of act, or all of them. Active until it is released.
CREATE TABLE breaker_trip (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope text NOT NULL CHECK (scope IN ('revoke', 'deactivate', 'delete', 'all')),
  cause text NOT NULL,
  why text NOT NULL,
  tripped_at timestamptz NOT NULL,
  -- Different operators that its release needs.
  operators smallint NOT NULL CHECK (operators > 0),
  released_at timestamptz
);
CREATE UNIQUE INDEX breaker_trip_active ON breaker_trip (scope) WHERE released_at IS NULL;

-- What operators decided, or have yet to decide together, about a trip.
CREATE TABLE breaker_release (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  trip_id bigint NOT NULL REFERENCES breaker_trip (id),
  reason text NOT NULL,
  -- Absent: the trip ends. Otherwise it stays, and these identities pass.
  identities uuid[],
  proposed_at timestamptz NOT NULL,
  effective_at timestamptz
);
CREATE TABLE breaker_release_vote (
  release_id bigint NOT NULL REFERENCES breaker_release (id),
  actor text NOT NULL,
  voted_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX breaker_release_vote_once ON breaker_release_vote (release_id, lower(actor));

-- Identities that pass although the breaker is tripped: once each.
CREATE TABLE breaker_pass (
  release_id bigint NOT NULL REFERENCES breaker_release (id),
  trip_id bigint NOT NULL REFERENCES breaker_trip (id),
  identity_id uuid NOT NULL,
  used_by text,
  PRIMARY KEY (release_id, identity_id)
);
CREATE INDEX breaker_pass_identity ON breaker_pass (identity_id);

-- The latest time that any worker read: a clock that goes back shows.
CREATE TABLE breaker_clock (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  latest_at timestamptz NOT NULL
);

-- How many signs of life arrived in each hour, by the time of their arrival: what the feed is compared with.
CREATE TABLE activity_feed (
  hour timestamptz PRIMARY KEY,
  signs bigint NOT NULL
);
