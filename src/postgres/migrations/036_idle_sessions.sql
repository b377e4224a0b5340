-- Up Migration

-- One row for each Kratos session that an app's guard has seen (docs/idle-sessions.md). Rows of ended sessions stay for a while,
-- so that no request that was under way brings one back.
CREATE TABLE idle_session (
  session_id uuid PRIMARY KEY,
  identity_id uuid NOT NULL,
  -- The latest completion of a first factor: the absolute limit counts from here.
  authenticated_at timestamptz NOT NULL,
  -- The person's last presence; the sign-in is the first.
  last_active_at timestamptz NOT NULL,
  -- The last beat of a long operation.
  lease_beat_at timestamptz,
  -- What the policy looks at, as of the last time that Kratos answered for the session.
  devices text[] NOT NULL,
  roles text[] NOT NULL,
  assurance text NOT NULL,
  -- The published policy that judges the session where nobody asks; null: the app's own.
  policy_id text,
  -- Hydra logins that end with the session.
  login_sids text[] NOT NULL DEFAULT '{}',
  ended_at timestamptz,
  ended_reason text CHECK (ended_reason IN ('idle', 'absolute', 'signed_out', 'revoked')),
  ended_rule text,
  -- When the end was written; when it was carried out in Kratos and Hydra.
  noticed_at timestamptz,
  closed_at timestamptz,
  CHECK ((ended_at IS NULL) = (ended_reason IS NULL) AND (ended_at IS NULL) = (noticed_at IS NULL))
);
CREATE INDEX idle_session_live ON idle_session (last_active_at) WHERE ended_at IS NULL;
CREATE INDEX idle_session_noticed ON idle_session (noticed_at) WHERE ended_at IS NOT NULL;
CREATE INDEX idle_session_open ON idle_session (noticed_at) WHERE ended_at IS NOT NULL AND closed_at IS NULL;
CREATE INDEX idle_session_identity ON idle_session (identity_id);

-- What a person chose as their own idle limit, in all sessions.
CREATE TABLE idle_choice (
  identity_id uuid PRIMARY KEY,
  -- 0: no choice of their own.
  idle_ms bigint NOT NULL CHECK (idle_ms >= 0),
  chosen_at timestamptz NOT NULL
);

-- What ended stays ended, whoever writes.
CREATE FUNCTION idle_session_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.session_id, NEW.identity_id, NEW.authenticated_at, NEW.last_active_at, NEW.lease_beat_at, NEW.ended_at, NEW.ended_reason)
    IS DISTINCT FROM
    (OLD.session_id, OLD.identity_id, OLD.authenticated_at, OLD.last_active_at, OLD.lease_beat_at, OLD.ended_at, OLD.ended_reason)
  THEN
    RAISE EXCEPTION 'an ended session stays ended' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER idle_session_stays_ended BEFORE UPDATE ON idle_session
  FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION idle_session_stays_ended();

-- Ends a live session, with its entry in the audit log where it expired, and tells every instance that listens.
-- judged_…: the times that the decision rests on; null: end it whatever they are. Answers whether this call ended it.
CREATE FUNCTION idle_session_end(
  a_session uuid, a_reason text, a_rule text, an_end_ms bigint, at_ms bigint,
  judged_authenticated timestamptz, judged_active timestamptz, judged_beat timestamptz,
  a_policy text, a_version integer, a_hash text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  row idle_session%ROWTYPE;
  idle double precision;
BEGIN
  UPDATE idle_session
  SET ended_at = timestamptz 'epoch' + an_end_ms * interval '1 millisecond', ended_reason = a_reason, ended_rule = a_rule,
    noticed_at = now()
  WHERE session_id = a_session AND ended_at IS NULL AND (judged_active IS NULL OR (
    authenticated_at = judged_authenticated AND last_active_at = judged_active
    AND lease_beat_at IS NOT DISTINCT FROM judged_beat))
  RETURNING * INTO row;
  IF NOT FOUND THEN RETURN false; END IF;
  IF a_reason IN ('idle', 'absolute') THEN
    idle := greatest(0, at_ms - extract(epoch FROM greatest(row.last_active_at, row.lease_beat_at)) * 1000);
    PERFORM audit_append(ARRAY[json_build_array(
      'session/' || a_session || '/ended', 'session_expired_' || a_reason, row.identity_id, 'engine', at_ms,
      a_policy, a_version, a_hash,
      coalesce((SELECT stage FROM standing WHERE identity_id = row.identity_id), 'active'),
      round((idle / 86400000)::numeric, 8), 'ended',
      json_build_object('endedAt', an_end_ms, 'idleMinutes', floor(idle / 60000), 'rule', a_rule, 'sessionId', a_session)
    )::text]);
  END IF;
  PERFORM pg_notify('dormouse_sessions', 'ended/' || a_session);
  RETURN true;
END $$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION idle_session_end SET search_path = %I, pg_temp', current_schema());
  REVOKE EXECUTE ON FUNCTION idle_session_end FROM PUBLIC;
END $$;
