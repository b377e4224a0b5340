-- Up Migration

-- Published policy versions, by the text that was published: what an auditor reads is what was in force.
CREATE TABLE policy (
  id text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  hash text NOT NULL,
  source text NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);

-- The latest sign of life of each kind. One narrow row a kind, so that an upsert stays cheap.
CREATE TABLE identity_activity (
  identity_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('human', 'token', 'machine')),
  last_active_at timestamptz NOT NULL,
  source text NOT NULL,
  PRIMARY KEY (identity_id, kind)
) WITH (fillfactor = 80);

-- The projection that apps and reports read; the workflow is the source.
CREATE TABLE standing (
  identity_id uuid PRIMARY KEY,
  stage text NOT NULL,
  stage_since timestamptz NOT NULL,
  last_active_at timestamptz NOT NULL,
  policy_id text,
  policy_version integer,
  next_step text,
  next_at timestamptz,
  blocked_by text,
  document jsonb NOT NULL,
  -- Epoch milliseconds of the decision: an attempt that comes late never overwrites a newer one.
  revision bigint NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX standing_stage ON standing (stage);
CREATE INDEX standing_next_at ON standing (next_at);

-- Tokens and sessions issued before this moment are rejected, wherever a checker asks.
CREATE TABLE revocation (
  identity_id uuid PRIMARY KEY,
  not_before timestamptz NOT NULL
);

-- Identities whose Kratos state the engine itself set to inactive: it undoes only its own work.
CREATE TABLE disablement (
  identity_id uuid PRIMARY KEY,
  -- Kratos' state_changed_at before and after; the second is unknown while the call is under way.
  state_changed_before timestamptz NOT NULL,
  state_changed_at timestamptz,
  intended_at timestamptz NOT NULL
);

-- One row a mail, by its stable key. No address, no content.
CREATE TABLE mail (
  message_key text PRIMARY KEY,
  identity_id uuid NOT NULL,
  kind text NOT NULL,
  message_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('sending', 'accepted', 'ambiguous', 'rejected')),
  attempts integer NOT NULL,
  first_tried_at timestamptz NOT NULL,
  settled_at timestamptz
);
CREATE INDEX mail_identity ON mail (identity_id);

-- What remains of a deleted identity: that it was deleted, when, and under which policy.
CREATE TABLE tombstone (
  identity_id uuid PRIMARY KEY,
  deleted_at timestamptz NOT NULL,
  policy_id text,
  policy_version integer
);

-- Append-only and hash-chained: each row's hash covers its content and the row before it.
CREATE TABLE audit (
  seq bigint PRIMARY KEY,
  event_id text NOT NULL UNIQUE,
  event_type text NOT NULL,
  target uuid NOT NULL,
  actor text NOT NULL,
  occurred_at timestamptz NOT NULL,
  policy_id text,
  policy_version integer,
  stage text NOT NULL,
  days_inactive double precision NOT NULL,
  outcome text NOT NULL,
  detail jsonb NOT NULL,
  -- The exact text that was hashed.
  canonical text NOT NULL,
  previous_hash text NOT NULL,
  hash text NOT NULL
);
CREATE INDEX audit_target ON audit (target, seq);
CREATE INDEX audit_type ON audit (event_type, seq);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
-- guard: audit: append-only (trigger)
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
-- guard: audit: no TRUNCATE
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
