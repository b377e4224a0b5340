-- Up Migration

-- One row for each session of access tokens, or token without a session, that an app's guard has seen (docs/inactive-tokens.md). Rows of
-- what ended stay for longer than any such token lives.
CREATE TABLE token_use (
  -- SHA-256 of what names the session or the token; never of use to anybody who has it.
  use_key bytea PRIMARY KEY CHECK (octet_length(use_key) = 32),
  identity_id uuid NOT NULL,
  -- The issue, or the sign-in behind it.
  started_at timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  ended_at timestamptz,
  ended_reason text CHECK (ended_reason IN ('idle', 'revoked')),
  -- When the end was written.
  noticed_at timestamptz,
  CHECK ((ended_at IS NULL) = (ended_reason IS NULL) AND (ended_at IS NULL) = (noticed_at IS NULL)),
  -- An app's role writes times: none that no program can read, such as infinity.
  CHECK (started_at BETWEEN '1970-01-01Z' AND '3000-01-01Z' AND last_used_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'
    AND ended_at BETWEEN '1970-01-01Z' AND '3000-01-01Z')
);
CREATE INDEX token_use_last ON token_use (last_used_at);
CREATE INDEX token_use_noticed ON token_use (noticed_at) WHERE ended_at IS NOT NULL;
CREATE INDEX token_use_identity ON token_use (identity_id);

-- What ended stays ended, whoever writes.
CREATE FUNCTION token_use_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a use that ended stays ended' USING ERRCODE = 'invalid_parameter_value';
END $$;
CREATE TRIGGER token_use_stays_ended BEFORE UPDATE ON token_use
  FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION token_use_stays_ended();

-- Identities whose admission changed, for guards that missed the notification.
CREATE TABLE admission_change (
  identity_id uuid PRIMARY KEY,
  changed_at timestamptz NOT NULL
);
CREATE INDEX admission_change_at ON admission_change (changed_at);

-- By the owner's rights: whoever writes standings may not see this table yet.
CREATE FUNCTION tell_admission_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO admission_change AS known (identity_id, changed_at) VALUES (NEW.identity_id, clock_timestamp())
  ON CONFLICT (identity_id) DO UPDATE SET changed_at = greatest(known.changed_at, EXCLUDED.changed_at);
  PERFORM pg_notify('dormouse_tokens', 'identity/' || NEW.identity_id);
  RETURN NULL;
END $$;
-- Nobody is cut off by a standing that begins as usual, or moves between stages that cut nothing off.
CREATE TRIGGER revocation_told AFTER INSERT OR UPDATE ON revocation
  FOR EACH ROW EXECUTE FUNCTION tell_admission_change();
CREATE TRIGGER standing_begins_told AFTER INSERT ON standing
  FOR EACH ROW WHEN (NEW.stage NOT IN ('active', 'warned')) EXECUTE FUNCTION tell_admission_change();
CREATE TRIGGER standing_told AFTER UPDATE ON standing
  FOR EACH ROW WHEN (OLD.stage IS DISTINCT FROM NEW.stage) EXECUTE FUNCTION tell_admission_change();

-- Puts a refusal into the audit log, once for each use and reason. Where it ends the use, only while the judged last use is the latest
-- (null: in any case), and every instance that listens is told. Answers whether this call ended it, or true where nothing was to end.
CREATE FUNCTION token_refuse(
  a_key bytea, an_identity uuid, a_reason text, a_rule text, an_end_ms bigint, at_ms bigint, ends boolean, judged_used timestamptz,
  a_policy text, a_version integer, a_hash text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  row token_use%ROWTYPE;
  idle double precision;
BEGIN
  IF a_reason NOT IN ('idle', 'expired', 'lifetime', 'not_yet', 'revoked', 'stage') THEN
    RAISE EXCEPTION 'no reason of a refusal' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The audit log has it, so it can be no free text.
  IF a_rule !~ '^(idle|subject|roles:.+|routes:/.*)$' OR a_rule ~ '[[:cntrl:]]' OR char_length(a_rule) > 300 THEN
    RAISE EXCEPTION 'no rule of a policy' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF ends THEN
    UPDATE token_use
    SET ended_at = timestamptz 'epoch' + an_end_ms * interval '1 millisecond', ended_reason = a_reason, noticed_at = now()
    WHERE use_key = a_key AND ended_at IS NULL AND (judged_used IS NULL OR last_used_at = judged_used)
    RETURNING * INTO row;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM pg_notify('dormouse_tokens', 'ended/' || encode(a_key, 'hex'));
  ELSE
    SELECT * INTO row FROM token_use WHERE use_key = a_key;
  END IF;
  idle := greatest(0, at_ms - extract(epoch FROM coalesce(row.last_used_at, timestamptz 'epoch' + at_ms * interval '1 millisecond')) * 1000);
  PERFORM audit_append(ARRAY[json_build_array(
    'token/' || encode(a_key, 'hex') || '/refused/' || a_reason, 'token_refused', coalesce(row.identity_id, an_identity), 'engine', at_ms,
    a_policy, a_version, a_hash,
    coalesce((SELECT stage FROM standing WHERE identity_id = coalesce(row.identity_id, an_identity)), 'active'),
    round((idle / 86400000)::numeric, 8), a_reason,
    json_build_object('endedAt', an_end_ms, 'idleMinutes', floor(idle / 60000), 'rule', coalesce(a_rule, '-'))
  )::text]);
  RETURN true;
END $$;
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tell_admission_change', 'token_refuse'] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', name);
  END LOOP;
END $$;
