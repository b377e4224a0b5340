-- Up Migration

-- Sweeps that end tokens pass the breaker as well, each kind with limits of its own.
ALTER TABLE breaker_trip DROP CONSTRAINT breaker_trip_scope_check;
ALTER TABLE breaker_trip ADD CONSTRAINT breaker_trip_scope_check
  CHECK (scope IN ('revoke', 'deactivate', 'delete', 'bury', 'endPersonal', 'endRefresh', 'all'));
ALTER TABLE breaker_grant DROP CONSTRAINT breaker_grant_action_check;
ALTER TABLE breaker_grant ADD CONSTRAINT breaker_grant_action_check
  CHECK (action IN ('revoke', 'deactivate', 'delete', 'bury', 'endPersonal', 'endRefresh'));

-- The size of the batch that a trip stopped as a whole. Its release allows as many more.
ALTER TABLE breaker_trip ADD COLUMN acts integer CHECK (acts > 0);

-- As before (migration 017), and: an identity that operators let pass may lose any number of tokens while the trip lasts, and its
-- pass is still there for the one act of its lifecycle.
CREATE OR REPLACE FUNCTION breaker_stop(an_act text, an_action text, an_identity uuid, OUT stopped_by bigint, OUT has_pass boolean)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  trips bigint[];
  releases bigint[];
  ends_token boolean := an_action IN ('endPersonal', 'endRefresh');
BEGIN
  has_pass := false;
  SELECT array_agg(id ORDER BY tripped_at, id) INTO trips FROM breaker_trip
  -- guard: breaker: a trip stays until it is released
  WHERE released_at IS NULL AND scope IN (an_action, 'all')
    -- guard: breaker: a limit does not stop what is within it
    AND NOT (cause = 'limit' AND EXISTS (SELECT FROM breaker_grant WHERE act_key = an_act));
  IF trips IS NULL THEN RETURN; END IF;
  SELECT array_agg(release_id) INTO releases FROM (
    SELECT DISTINCT ON (trip_id) release_id FROM breaker_pass
    -- guard: breaker: a pass is good for one act
    WHERE identity_id = an_identity AND trip_id = ANY(trips) AND (ends_token OR used_by IS NULL OR used_by = an_act)
    ORDER BY trip_id, release_id
  ) AS passes;
  -- guard: breaker: a pass is for its trip
  IF coalesce(cardinality(releases), 0) < cardinality(trips) THEN
    stopped_by := trips[1];
    RETURN;
  END IF;
  -- guard: breaker: the end of a token uses up no pass of a lifecycle
  IF NOT ends_token THEN
    UPDATE breaker_pass SET used_by = an_act WHERE identity_id = an_identity AND release_id = ANY(releases);
  END IF;
  has_pass := true;
END $$;

DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION breaker_stop(text, text, uuid) SET search_path = %I, pg_temp', current_schema());
  REVOKE EXECUTE ON FUNCTION breaker_stop(text, text, uuid) FROM PUBLIC;
END $$;
