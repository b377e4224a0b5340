-- Up Migration

-- One row for each personal access token (docs/personal-access-tokens.md). The token itself is nowhere: only its SHA-256, which needs no
-- salt, because 256 random bits can't be guessed. Rows that ended stay for a while, for whoever asks what became of a token.
CREATE TABLE personal_token (
  token_id uuid PRIMARY KEY,
  identity_id uuid NOT NULL,
  -- A type of the policy.
  type text NOT NULL CHECK (type ~ '^[a-z][a-z0-9-]{0,31}$'),
  -- For the person's own eyes.
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  -- The audit log has them, so they can be no free text.
  scopes text[] NOT NULL CHECK (cardinality(scopes) <= 50 AND array_position(scopes, NULL) IS NULL
    AND array_to_string(scopes, ' ') ~ '^([A-Za-z0-9][A-Za-z0-9._:/-]{0,63}( [A-Za-z0-9][A-Za-z0-9._:/-]{0,63})*)?$'),
  -- Of the owner, as of the creation.
  roles text[] NOT NULL CHECK (cardinality(roles) <= 100 AND array_position(roles, NULL) IS NULL
    AND char_length(array_to_string(roles, '')) <= 6400),
  -- The published policy that judges the token where nobody asks; null: the app's own.
  policy_id text CHECK (policy_id ~ '^[a-z][a-z0-9-]{0,31}$'),
  created_at timestamptz NOT NULL,
  -- Null: without expiry of its own.
  expires_at timestamptz,
  -- Null: never used.
  last_used_at timestamptz,
  ended_at timestamptz,
  ended_why text CHECK (ended_why IN ('revoked', 'rotated', 'expired', 'inactive')),
  -- When the end was written.
  noticed_at timestamptz,
  -- The token that this one took the place of.
  rotated_from uuid,
  CHECK ((ended_at IS NULL) = (ended_why IS NULL) AND (ended_at IS NULL) = (noticed_at IS NULL)),
  -- An app's role writes times. One that no program can read, such as infinity, would stop the sweep at its row.
  CHECK (created_at BETWEEN '1970-01-01Z' AND '3000-01-01Z' AND expires_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'
    AND last_used_at BETWEEN '1970-01-01Z' AND '3000-01-01Z' AND ended_at BETWEEN '1970-01-01Z' AND '3000-01-01Z')
);
CREATE INDEX personal_token_identity ON personal_token (identity_id);
CREATE INDEX personal_token_live ON personal_token (policy_id, token_id) WHERE ended_at IS NULL;
CREATE INDEX personal_token_noticed ON personal_token (noticed_at) WHERE ended_at IS NOT NULL;

-- What ended stays ended, whoever writes.
CREATE FUNCTION personal_token_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a token that ended stays ended' USING ERRCODE = 'invalid_parameter_value';
END $$;
CREATE TRIGGER personal_token_stays_ended BEFORE UPDATE ON personal_token
  FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION personal_token_stays_ended();

-- Tells every instance that listens of a token that is no longer good, however that came about.
CREATE FUNCTION personal_token_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('dormouse_personal_tokens', 'token/' || OLD.token_id);
  RETURN NULL;
END $$;
CREATE TRIGGER personal_token_tell_end AFTER UPDATE OF ended_at ON personal_token
  FOR EACH ROW EXECUTE FUNCTION personal_token_tell();
CREATE TRIGGER personal_token_tell_delete AFTER DELETE ON personal_token
  FOR EACH ROW WHEN (OLD.ended_at IS NULL) EXECUTE FUNCTION personal_token_tell();

-- The same for an owner whose standing changed. By the owner's rights: whoever writes standings may not see tokens yet.
CREATE FUNCTION personal_token_tell_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF EXISTS (SELECT FROM personal_token WHERE identity_id = NEW.identity_id AND ended_at IS NULL) THEN
    PERFORM pg_notify('dormouse_personal_tokens', 'owner/' || NEW.identity_id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER personal_token_tell_new_owner AFTER INSERT ON standing
  FOR EACH ROW EXECUTE FUNCTION personal_token_tell_owner();
CREATE TRIGGER personal_token_tell_owner AFTER UPDATE ON standing
  FOR EACH ROW WHEN ((OLD.stage, OLD.blocked_by) IS DISTINCT FROM (NEW.stage, NEW.blocked_by))
  EXECUTE FUNCTION personal_token_tell_owner();

-- Until the transaction ends, nobody else makes a token for the identity, and it is not buried. A burial takes the same lock.
CREATE FUNCTION personal_token_lock(an_identity uuid) RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtext('dormouse/personal-token/' || an_identity))
$$;

-- One line of the audit log about a token. Its name is not in it: a person wrote that.
CREATE FUNCTION personal_token_audit(
  a_token personal_token, an_event text, an_actor text, at_ms bigint, unused_days double precision,
  a_policy text, a_version integer, a_hash text, an_outcome text, a_detail json
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever acts is named.
  IF an_actor !~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$' THEN
    RAISE EXCEPTION 'no name of an actor' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM audit_append(ARRAY[json_build_array(
    'personal-token/' || a_token.token_id || '/' || an_event, an_event, a_token.identity_id, an_actor, at_ms,
    a_policy, a_version, a_hash,
    coalesce((SELECT stage FROM standing WHERE identity_id = a_token.identity_id), 'active'),
    round(unused_days::numeric, 8), an_outcome, json_strip_nulls(a_detail))::text]);
END $$;

-- Creates a token, for nobody who is buried. Answers false where the person has as many live tokens already.
CREATE FUNCTION personal_token_create(
  a_token uuid, an_identity uuid, a_type text, a_name text, a_hash bytea, the_scopes text[], the_roles text[],
  an_expiry timestamptz, a_policy text, an_actor text, at_ms bigint, at_most integer
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  made personal_token%ROWTYPE;
BEGIN
  IF lower(an_actor) IN ('engine', 'self-service') THEN
    RAISE EXCEPTION 'Dormouse itself creates no token' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Two at once must not both be the last one.
  PERFORM personal_token_lock(an_identity);
  -- guard: tokens: nobody who is deleted gets a token
  IF EXISTS (SELECT FROM tombstone WHERE identity_id = an_identity) THEN
    RAISE EXCEPTION 'the identity was deleted' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF (SELECT count(*) FROM personal_token WHERE identity_id = an_identity AND ended_at IS NULL) >= at_most THEN
    RETURN false;
  END IF;
  INSERT INTO personal_token (token_id, identity_id, type, name, hash, scopes, roles, policy_id, created_at, expires_at)
  VALUES (a_token, an_identity, a_type, a_name, a_hash, the_scopes, the_roles, a_policy,
    timestamptz 'epoch' + at_ms * interval '1 millisecond', an_expiry)
  RETURNING * INTO made;
  PERFORM personal_token_audit(made, 'personal_token_created', an_actor, at_ms, 0, NULL, NULL, NULL, 'done',
    json_build_object('expiresAt', floor(extract(epoch FROM an_expiry) * 1000), 'scopes', array_to_string(the_scopes, ' '),
      'tokenId', a_token, 'tokenType', a_type));
  RETURN true;
END $$;

-- Ends a live token and creates another one in its place, both or neither. an_identity: its owner, where only they may; null: whoever's.
CREATE FUNCTION personal_token_rotate(
  a_token uuid, an_identity uuid, a_new uuid, a_hash bytea, an_expiry timestamptz, an_actor text, at_ms bigint
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old personal_token%ROWTYPE;
BEGIN
  IF lower(an_actor) IN ('engine', 'self-service') THEN
    RAISE EXCEPTION 'Dormouse itself rotates no token' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM personal_token_lock(identity_id) FROM personal_token WHERE token_id = a_token;
  UPDATE personal_token
  SET ended_at = timestamptz 'epoch' + at_ms * interval '1 millisecond', ended_why = 'rotated', noticed_at = now()
  WHERE token_id = a_token AND ended_at IS NULL AND (an_identity IS NULL OR identity_id = an_identity)
  RETURNING * INTO old;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO personal_token
    (token_id, identity_id, type, name, hash, scopes, roles, policy_id, created_at, expires_at, rotated_from)
  VALUES (a_new, old.identity_id, old.type, old.name, a_hash, old.scopes, old.roles, old.policy_id,
    timestamptz 'epoch' + at_ms * interval '1 millisecond', an_expiry, a_token);
  PERFORM personal_token_audit(old, 'personal_token_rotated', an_actor, at_ms, 0, NULL, NULL, NULL, 'done',
    json_build_object('expiresAt', floor(extract(epoch FROM an_expiry) * 1000), 'newTokenId', a_new, 'tokenId', a_token,
      'tokenType', old.type));
  RETURN true;
END $$;

-- Ends a live token because somebody asked.
CREATE FUNCTION personal_token_revoke(a_token uuid, an_identity uuid, an_actor text, a_reason text, at_ms bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old personal_token%ROWTYPE;
BEGIN
  IF lower(an_actor) IN ('engine', 'self-service') THEN
    RAISE EXCEPTION 'Dormouse itself revokes by its sweep only' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF char_length(a_reason) > 200 THEN
    RAISE EXCEPTION 'the reason is longer than 200 characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE personal_token
  SET ended_at = timestamptz 'epoch' + at_ms * interval '1 millisecond', ended_why = 'revoked', noticed_at = now()
  WHERE token_id = a_token AND ended_at IS NULL AND (an_identity IS NULL OR identity_id = an_identity)
  RETURNING * INTO old;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM personal_token_audit(old, 'personal_token_revoked', an_actor, at_ms, 0, NULL, NULL, NULL, 'done',
    json_build_object('reason', a_reason, 'tokenId', a_token, 'tokenType', old.type));
  RETURN true;
END $$;

-- Ends a token that is over a limit, unless it was used since it was judged.
CREATE FUNCTION personal_token_lapse(
  a_token uuid, a_why text, a_rule text, an_end_ms bigint, judged_used timestamptz, at_ms bigint,
  a_policy text, a_version integer, a_hash text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old personal_token%ROWTYPE;
  unused double precision;
BEGIN
  IF a_why NOT IN ('expired', 'inactive') THEN
    RAISE EXCEPTION 'no end by a limit' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE personal_token
  SET ended_at = timestamptz 'epoch' + an_end_ms * interval '1 millisecond', ended_why = a_why, noticed_at = now()
  WHERE token_id = a_token AND ended_at IS NULL AND last_used_at IS NOT DISTINCT FROM judged_used
  RETURNING * INTO old;
  IF NOT FOUND THEN RETURN false; END IF;
  unused := greatest(0, at_ms - extract(epoch FROM coalesce(old.last_used_at, old.created_at)) * 1000) / 86400000;
  PERFORM personal_token_audit(old,
    CASE a_why WHEN 'inactive' THEN 'tokens_revoked_stale' ELSE 'personal_token_expired' END,
    'engine', at_ms, unused, a_policy, a_version, a_hash, 'ended',
    json_build_object('endedAt', an_end_ms, 'isNeverUsed', old.last_used_at IS NULL, 'rule', a_rule, 'tokenId', a_token,
      'tokenType', old.type, 'type', 'personal', 'unusedDays', floor(unused)));
  RETURN true;
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['personal_token_tell_owner', 'personal_token_create', 'personal_token_rotate',
    'personal_token_revoke', 'personal_token_lapse'] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', name);
  END LOOP;
END $$;
