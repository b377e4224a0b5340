-- Up Migration

-- Links that mails carried. The token itself is in the mail and nowhere else: here is its SHA-256.
CREATE TABLE link (
  token_hash bytea PRIMARY KEY,
  identity_id uuid NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('keep', 'reactivate')),
  -- What it is bound to. keep: since when the person was inactive when the notice was given; reactivate: since when
  -- they were deactivated.
  bound_at timestamptz NOT NULL,
  -- keep only: the rung that it postpones, which postponement of the absence it would be (0 the first), the date that the
  -- mail named, and by how much.
  rung text CHECK (rung IN ('revoke', 'deactivate', 'delete')),
  round integer,
  announced_at timestamptz,
  by_ms bigint,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CHECK (
    CASE purpose
      WHEN 'keep' THEN num_nulls(rung, round, announced_at, by_ms) = 0
      ELSE num_nonnulls(rung, round, announced_at, by_ms) = 0
    END
  )
);
CREATE INDEX link_identity ON link (identity_id);
CREATE INDEX link_expires_at ON link (expires_at);

-- What people postponed by "Keep my account": each round of an absence once, whichever of its mails they answered.
CREATE TABLE postponement (
  identity_id uuid NOT NULL,
  rung text NOT NULL CHECK (rung IN ('revoke', 'deactivate', 'delete')),
  inactive_since timestamptz NOT NULL,
  round integer NOT NULL CHECK (round >= 0),
  until_at timestamptz NOT NULL,
  confirmed_at timestamptz NOT NULL,
  PRIMARY KEY (identity_id, rung, inactive_since, round)
);
