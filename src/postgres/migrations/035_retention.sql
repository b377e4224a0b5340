-- Up Migration

-- Trips that were released long ago, with all that was decided about them; the audit log keeps what was done. Answers how many.
CREATE FUNCTION breaker_forget(a_before timestamptz) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  old bigint[];
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/breaker'));
  SELECT array_agg(id) INTO old FROM (
    SELECT id FROM breaker_trip WHERE released_at < a_before ORDER BY id LIMIT 500
  ) AS trips;
  IF old IS NULL THEN RETURN 0; END IF;
  DELETE FROM breaker_pass WHERE trip_id = ANY(old);
  DELETE FROM breaker_release_vote WHERE release_id IN (SELECT id FROM breaker_release WHERE trip_id = ANY(old));
  DELETE FROM breaker_release WHERE trip_id = ANY(old);
  DELETE FROM breaker_trip WHERE id = ANY(old);
  RETURN cardinality(old);
END $$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION breaker_forget(timestamptz) SET search_path = %I, pg_temp', current_schema());
  REVOKE EXECUTE ON FUNCTION breaker_forget(timestamptz) FROM PUBLIC;
END $$;
