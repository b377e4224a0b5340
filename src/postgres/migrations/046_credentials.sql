-- Up Migration

-- Named credentials of the gateway (docs/principals.md). A row is one secret, and a name has two while it is rotated. The secret itself
-- is nowhere: only its SHA-256, which needs no salt, because 256 random bits can't be guessed.
CREATE TABLE credential (
  credential_id uuid PRIMARY KEY,
  -- The audit log names the actor by it, so no other credential gets it while the rows are kept.
  name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,31}$'),
  -- Who answers for it. Two credentials of one owner count as one operator.
  owner text NOT NULL CHECK (owner ~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$'),
  scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50 AND array_position(scopes, NULL) IS NULL
    AND array_to_string(scopes, ' ') ~ '^[a-z]+:[a-z]+(:[A-Za-z0-9][A-Za-z0-9._:/-]{0,63})?( [a-z]+:[a-z]+(:[A-Za-z0-9][A-Za-z0-9._:/-]{0,63})?)*$'),
  hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  -- Empty: from any address.
  networks inet[] NOT NULL CHECK (cardinality(networks) <= 20 AND array_position(networks, NULL) IS NULL),
  created_at timestamptz NOT NULL CHECK (created_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'),
  -- Null: never used.
  last_used_at timestamptz CHECK (last_used_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'),
  -- From then on it is refused. Null: it has no end.
  ends_at timestamptz CHECK (ends_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'),
  ends_why text CHECK (ends_why IN ('expired', 'rotated', 'revoked')),
  CHECK ((ends_at IS NULL) = (ends_why IS NULL))
);
CREATE INDEX credential_name ON credential (name);

-- An end only ever comes nearer, and a name, an owner, a scope and a hash never change, whoever writes.
CREATE FUNCTION credential_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.credential_id, OLD.name, OLD.owner, OLD.scopes, OLD.hash, OLD.networks, OLD.created_at)
      IS DISTINCT FROM (NEW.credential_id, NEW.name, NEW.owner, NEW.scopes, NEW.hash, NEW.networks, NEW.created_at)
    -- guard: principals: an end of a credential only comes nearer
    OR (OLD.ends_at IS NOT NULL AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at)) THEN
    RAISE EXCEPTION 'a credential can only end' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER credential_only_ends BEFORE UPDATE ON credential
  FOR EACH ROW EXECUTE FUNCTION credential_only_ends();

-- Tells every gateway that listens.
CREATE FUNCTION credential_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('dormouse_credentials', '');
  RETURN NULL;
END $$;
CREATE TRIGGER credential_tell AFTER INSERT OR UPDATE OF ends_at OR DELETE ON credential
  FOR EACH STATEMENT EXECUTE FUNCTION credential_tell();

-- One line of the audit log about a credential, once for each event name.
CREATE FUNCTION credential_audit(an_event_id text, an_event text, an_actor text, at_ms bigint, a_detail json)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF an_actor !~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$' OR lower(an_actor) IN ('engine', 'self-service') THEN
    RAISE EXCEPTION 'no name of an actor' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM audit_append(ARRAY[json_build_array(
    an_event_id, an_event, '00000000-0000-0000-0000-000000000000', an_actor, at_ms, NULL, NULL, NULL, 'none', 0, 'done',
    json_strip_nulls(a_detail))::text]);
END $$;

-- Creates a credential. Answers 'made', 'taken' (the name is, or was), or 'too-many'.
CREATE FUNCTION credential_create(
  an_id uuid, a_name text, an_owner text, the_scopes text[], a_hash bytea, the_networks inet[], an_expiry timestamptz,
  an_actor text, at_ms bigint
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/credentials'));
  -- guard: principals: a name is never given twice
  IF EXISTS (SELECT FROM credential WHERE name = a_name) THEN RETURN 'taken'; END IF;
  -- Each gateway has all of them in memory.
  IF (SELECT count(*) FROM credential WHERE ends_at IS NULL OR ends_at > now()) >= 1000 THEN RETURN 'too-many'; END IF;
  INSERT INTO credential (credential_id, name, owner, scopes, hash, networks, created_at, ends_at, ends_why)
  VALUES (an_id, a_name, an_owner, the_scopes, a_hash, the_networks, timestamptz 'epoch' + at_ms * interval '1 millisecond',
    an_expiry, CASE WHEN an_expiry IS NOT NULL THEN 'expired' END);
  PERFORM credential_audit('credential/' || an_id || '/created', 'credential_created', an_actor, at_ms, json_build_object(
    'credentialId', an_id, 'name', a_name, 'owner', an_owner, 'scopes', array_to_string(the_scopes, ' '),
    'networks', nullif(array_to_string(the_networks, ' '), ''), 'expiresAt', floor(extract(epoch FROM an_expiry) * 1000)));
  RETURN 'made';
END $$;

-- Puts a new secret beside the live ones of a name, which end after the overlap. Answers false where the name has no live secret.
CREATE FUNCTION credential_rotate(
  a_name text, an_id uuid, a_hash bytea, an_expiry timestamptz, an_overlap_ms bigint, an_actor text, at_ms bigint
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old credential%ROWTYPE;
  overlap_end timestamptz;
BEGIN
  IF an_overlap_ms NOT BETWEEN 0 AND 2592000000 THEN
    RAISE EXCEPTION 'an overlap is 30 days at most' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/credentials'));
  SELECT * INTO old FROM credential WHERE name = a_name AND (ends_at IS NULL OR ends_at > now())
    ORDER BY created_at DESC, credential_id LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  overlap_end := now() + an_overlap_ms * interval '1 millisecond';
  UPDATE credential SET ends_at = overlap_end, ends_why = 'rotated'
  WHERE name = a_name AND (ends_at IS NULL OR ends_at > overlap_end);
  INSERT INTO credential (credential_id, name, owner, scopes, hash, networks, created_at, ends_at, ends_why)
  VALUES (an_id, old.name, old.owner, old.scopes, a_hash, old.networks, timestamptz 'epoch' + at_ms * interval '1 millisecond',
    an_expiry, CASE WHEN an_expiry IS NOT NULL THEN 'expired' END);
  PERFORM credential_audit('credential/' || an_id || '/rotated', 'credential_rotated', an_actor, at_ms, json_build_object(
    'credentialId', an_id, 'name', a_name, 'earlierEndsAt', floor(extract(epoch FROM overlap_end) * 1000),
    'expiresAt', floor(extract(epoch FROM an_expiry) * 1000)));
  RETURN true;
END $$;

-- Ends every live secret of a name now. Answers false where it has none.
CREATE FUNCTION credential_revoke(a_name text, an_actor text, a_reason text, at_ms bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  last_id uuid;
BEGIN
  IF char_length(a_reason) > 200 THEN
    RAISE EXCEPTION 'the reason is longer than 200 characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/credentials'));
  SELECT credential_id INTO last_id FROM credential WHERE name = a_name AND (ends_at IS NULL OR ends_at > now())
    ORDER BY created_at DESC, credential_id LIMIT 1;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE credential SET ends_at = now(), ends_why = 'revoked' WHERE name = a_name AND (ends_at IS NULL OR ends_at > now());
  PERFORM credential_audit('credential/' || last_id || '/revoked', 'credential_revoked', an_actor, at_ms, json_build_object(
    'name', a_name, 'reason', a_reason));
  RETURN true;
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['credential_create', 'credential_rotate', 'credential_revoke'] LOOP
    EXECUTE format('ALTER FUNCTION %I SET search_path = %I, pg_temp', name, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I FROM PUBLIC', name);
  END LOOP;
END $$;
