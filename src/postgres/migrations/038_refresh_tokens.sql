-- Up Migration

-- One row for each family of refresh tokens: a grant, and everything that it was exchanged for (docs/refresh-tokens.md).
-- It never holds a token.
CREATE TABLE refresh_family (
  family_id uuid PRIMARY KEY,
  identity_id uuid NOT NULL,
  -- app: by RefreshTokens of an app; hydra: Hydra issues the tokens, and the registry follows.
  issuer text NOT NULL CHECK (issuer IN ('app', 'hydra')),
  client_id text NOT NULL,
  -- The published policy that judges the family where nobody asks; null: the app's own.
  policy_id text,
  device_name text,
  -- As of the last use. Addresses of the first and the last use are cut to a prefix after their time.
  user_agent text,
  first_address inet,
  last_address inet,
  -- When the person signed in for it: a revocation of the identity after this ends it.
  signed_in_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  -- SHA-256 of the secret of the one token that is valid now, its place in the line, and when those before it were exchanged,
  -- the latest first. Of the app's own families only.
  token_hash bytea,
  generation integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
  claims timestamptz[] NOT NULL DEFAULT '{}',
  -- Hydra's consent that the family goes back to.
  hydra_consent text UNIQUE,
  ended_at timestamptz,
  ended_why text CHECK (ended_why IN
    ('unused', 'inactive', 'lifetime', 'same_origin', 'reuse', 'signed_out', 'by_person', 'password_reset', 'account')),
  -- When nothing was left of it elsewhere: at once for the app's own, for Hydra's when its consent was revoked there.
  closed_at timestamptz,
  CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
  CHECK (CASE issuer WHEN 'app' THEN token_hash IS NOT NULL AND hydra_consent IS NULL
    ELSE token_hash IS NULL AND hydra_consent IS NOT NULL END),
  -- An app's role writes times: none that no program can read, such as infinity.
  CHECK (last_used_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'
    AND '1970-01-01Z' <= ALL (claims) AND '3000-01-01Z' >= ALL (claims))
);
CREATE INDEX refresh_family_identity ON refresh_family (identity_id);
CREATE INDEX refresh_family_live ON refresh_family (coalesce(last_used_at, created_at)) WHERE ended_at IS NULL;
CREATE INDEX refresh_family_ended ON refresh_family (ended_at) WHERE ended_at IS NOT NULL;
-- Addresses that are still whole.
CREATE INDEX refresh_family_first_address ON refresh_family (created_at) WHERE masklen(first_address) IN (32, 128);
CREATE INDEX refresh_family_last_address ON refresh_family (coalesce(last_used_at, created_at)) WHERE masklen(last_address) IN (32, 128);

-- Where a consent of Hydra was given, as the app's consent page saw it, until its grant comes.
CREATE TABLE refresh_consent (
  login_sid text NOT NULL,
  client_id text NOT NULL,
  identity_id uuid NOT NULL,
  address inet,
  user_agent text,
  device_name text,
  noted_at timestamptz NOT NULL,
  PRIMARY KEY (login_sid, client_id)
);
CREATE INDEX refresh_consent_noted ON refresh_consent (noted_at);
CREATE INDEX refresh_consent_identity ON refresh_consent (identity_id);

-- What ended stays ended, whoever writes. Addresses are still cut, and the end is carried out elsewhere.
CREATE FUNCTION refresh_family_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.family_id, NEW.identity_id, NEW.token_hash, NEW.generation, NEW.last_used_at, NEW.ended_at, NEW.ended_why)
    IS DISTINCT FROM
    (OLD.family_id, OLD.identity_id, OLD.token_hash, OLD.generation, OLD.last_used_at, OLD.ended_at, OLD.ended_why)
  THEN
    RAISE EXCEPTION 'an ended family stays ended' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refresh_family_stays_ended BEFORE UPDATE ON refresh_family
  FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION refresh_family_stays_ended();

-- Starts a family, with its entry in the audit log. Answers false where Hydra's consent has one already.
CREATE FUNCTION refresh_family_start(
  a_family uuid, an_identity uuid, an_issuer text, a_client text, a_policy text, a_device text, an_agent text, an_address inet,
  a_hash bytea, a_consent text, signed_in timestamptz, created timestamptz
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO refresh_family (family_id, identity_id, issuer, client_id, policy_id, device_name, user_agent, first_address,
    last_address, token_hash, hydra_consent, signed_in_at, created_at)
  VALUES (a_family, an_identity, an_issuer, a_client, a_policy, a_device, an_agent, an_address,
    an_address, a_hash, a_consent, signed_in, created)
  ON CONFLICT (hydra_consent) DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM audit_append(ARRAY[json_build_array(
    'refresh/' || a_family || '/started', 'refresh_family_started', an_identity, 'engine',
    floor(extract(epoch FROM created) * 1000)::bigint, NULL, NULL, NULL,
    coalesce((SELECT stage FROM standing WHERE identity_id = an_identity), 'active'), 0, 'started',
    json_build_object('clientId', a_client, 'familyId', a_family, 'issuer', an_issuer)
  )::text]);
  RETURN true;
END $$;

-- Ends live families, with an entry in the audit log for each, and one for each identity whose stale tokens went.
-- unused_since: only those that were not used since; null: whatever was. inactive_since: only of people without a sign of life since.
-- Answers with those that this call ended.
CREATE FUNCTION refresh_family_end(
  families uuid[], a_why text, at_ms bigint, unused_since timestamptz, inactive_since timestamptz,
  a_policy text, a_version integer, a_hash text
) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  moment timestamptz := timestamptz 'epoch' + at_ms * interval '1 millisecond';
  is_stale boolean := a_why IN ('unused', 'inactive', 'lifetime', 'same_origin');
  an_actor text := CASE WHEN a_why IN ('signed_out', 'by_person', 'password_reset') THEN 'self-service' ELSE 'engine' END;
  ended uuid[];
  texts text[];
  stale text[];
BEGIN
  -- In one order, so that two calls at once wait for each other instead of failing.
  PERFORM FROM refresh_family WHERE family_id = ANY(families) ORDER BY family_id FOR UPDATE;
  WITH gone AS (
    UPDATE refresh_family AS family
    SET ended_at = moment, ended_why = a_why, closed_at = CASE issuer WHEN 'app' THEN moment END
    WHERE family_id = ANY(families) AND ended_at IS NULL
      -- guard: refresh: a family that is used stays, whatever was judged before
      AND (unused_since IS NULL OR greatest(last_used_at, created_at) <= unused_since)
      -- Who is exempt from the ladder or on hold is not revoked as stale.
      AND (a_why NOT IN ('unused', 'inactive', 'same_origin') OR NOT EXISTS (SELECT FROM standing AS owner
        -- guard: refresh: who is exempt or on hold is not revoked as stale
        WHERE owner.identity_id = family.identity_id AND owner.blocked_by IN ('exempt', 'hold')))
      AND (inactive_since IS NULL OR NOT EXISTS (SELECT FROM identity_activity AS seen
        -- guard: refresh: nobody who was seen is revoked as inactive
        WHERE seen.identity_id = family.identity_id AND seen.last_active_at > inactive_since))
    RETURNING family_id, identity_id, client_id, issuer,
      greatest(0, extract(epoch FROM moment - greatest(last_used_at, created_at))) / 86400 AS days
  ), told AS (
    SELECT gone.*, coalesce(standing.stage, 'active') AS stage, round(days::numeric, 8) AS unused
    FROM gone LEFT JOIN standing USING (identity_id)
  )
  SELECT array_agg(family_id),
    array_agg(json_build_array(
      'refresh/' || family_id || '/revoked', 'refresh_family_revoked', identity_id, an_actor, at_ms, a_policy, a_version, a_hash,
      stage, unused, a_why, json_build_object('clientId', client_id, 'familyId', family_id, 'issuer', issuer, 'why', a_why))::text),
    (SELECT array_agg(text) FROM (
      SELECT json_build_array(
        'refresh/' || min(family_id::text) || '/stale', 'tokens_revoked_stale', identity_id, an_actor, at_ms, a_policy, a_version,
        a_hash, min(stage), max(unused), a_why, json_build_object('families', count(*), 'type', 'refresh', 'why', a_why))::text AS text
      FROM told WHERE is_stale GROUP BY identity_id) AS by_identity)
  INTO ended, texts, stale FROM told;
  IF ended IS NULL THEN RETURN; END IF;
  PERFORM audit_append(texts || stale);
  RETURN QUERY SELECT unnest(ended);
END $$;

DO $$
DECLARE
  own regprocedure;
BEGIN
  FOR own IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef AND proname ~ '^refresh_family_'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', own, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own);
  END LOOP;
END $$;
