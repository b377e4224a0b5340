-- Up Migration

-- The registry keeps the hash of a proof, and the proof is the hash of the token's secret. So a claim shows the database that its caller
-- holds the token, and neither a statement nor a row ever has what could be presented. Families that ended keep their hash: they are refused
-- either way.
UPDATE refresh_family SET token_hash = sha256(token_hash) WHERE issuer = 'app' AND ended_at IS NULL;

-- Bounds of what an app's role writes, by the functions or where a consent is noted. The name of a client is in the audit log. A time that no
-- program can read, such as infinity, would stop the sweep at its row.
ALTER TABLE refresh_family
  ADD CONSTRAINT refresh_family_texts CHECK (
    CASE issuer WHEN 'app' THEN client_id ~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$' ELSE char_length(client_id) <= 255 END
    AND policy_id ~ '^[a-z][a-z0-9-]{0,31}$' AND char_length(device_name) <= 100 AND char_length(user_agent) <= 400
    AND char_length(hydra_consent) <= 255 AND octet_length(token_hash) = 32) NOT VALID,
  ADD CONSTRAINT refresh_family_times CHECK (
    created_at BETWEEN '1970-01-01Z' AND '3000-01-01Z' AND signed_in_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'
    AND ended_at BETWEEN '1970-01-01Z' AND '3000-01-01Z') NOT VALID;
ALTER TABLE refresh_consent
  ADD CONSTRAINT refresh_consent_bounds CHECK (
    char_length(login_sid) <= 255 AND char_length(client_id) <= 255 AND char_length(device_name) <= 100
    AND char_length(user_agent) <= 400 AND noted_at BETWEEN '1970-01-01Z' AND '3000-01-01Z') NOT VALID;

-- Locks a family of an app's own until the end of the transaction, and answers with it as it is then. An app's role has no right to change
-- the table, and PostgreSQL lets nobody else lock its rows.
CREATE FUNCTION refresh_family_lock(a_family uuid) RETURNS SETOF refresh_family LANGUAGE plpgsql ROWS 1 SECURITY DEFINER AS $$
BEGIN
  -- guard: refresh: a family is locked while it is exchanged
  RETURN QUERY SELECT * FROM refresh_family WHERE family_id = a_family AND issuer = 'app' FOR UPDATE;
END $$;

-- Puts a successor in the place of the token that is valid. Only who holds that token can: a proof is in no row. One statement, so of all
-- who present the same token, one is answered true.
CREATE FUNCTION refresh_family_claim(
  a_family uuid, a_proof bytea, a_successor bytea, moment timestamptz, an_address inet, an_agent text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE refresh_family
  SET token_hash = a_successor, generation = generation + 1, claims = (ARRAY[moment] || claims)[1:8],
    last_used_at = greatest(last_used_at, moment), last_address = an_address, user_agent = an_agent
  -- guard: refresh: nobody replaces a token whom it was not given to
  WHERE family_id = a_family AND issuer = 'app' AND token_hash = sha256(a_proof) AND ended_at IS NULL;
  RETURN FOUND;
END $$;

-- Cuts addresses to /24, or /48 for IPv6, whose use is older than a moment: of the first use from the creation, of the last one from that
-- use. 5,000 of each at most. Answers how many.
CREATE FUNCTION refresh_family_cut(a_policy text, before timestamptz) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  firsts integer;
  lasts integer;
BEGIN
  UPDATE refresh_family
  SET first_address = set_masklen(first_address::cidr, CASE family(first_address) WHEN 4 THEN 24 ELSE 48 END)::inet
  WHERE family_id IN (SELECT family_id FROM refresh_family
    WHERE policy_id IS NOT DISTINCT FROM a_policy AND created_at <= before AND masklen(first_address) IN (32, 128) LIMIT 5000);
  GET DIAGNOSTICS firsts = ROW_COUNT;
  UPDATE refresh_family
  SET last_address = set_masklen(last_address::cidr, CASE family(last_address) WHEN 4 THEN 24 ELSE 48 END)::inet
  WHERE family_id IN (SELECT family_id FROM refresh_family
    WHERE policy_id IS NOT DISTINCT FROM a_policy AND coalesce(last_used_at, created_at) <= before
      AND masklen(last_address) IN (32, 128) LIMIT 5000);
  GET DIAGNOSTICS lasts = ROW_COUNT;
  RETURN firsts + lasts;
END $$;

DO $$
DECLARE
  own regprocedure;
BEGIN
  FOR own IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef
    AND proname IN ('refresh_family_lock', 'refresh_family_claim', 'refresh_family_cut')
  LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', own, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own);
  END LOOP;
END $$;
