-- Up Migration

-- A function that acts for the owner must find the owner's tables. Where its search path does not name pg_temp, temporary
-- tables come first: a caller could put one with a trigger in the place of ours, and the trigger would run as the owner.
DO $$
DECLARE
  own regprocedure;
BEGIN
  FOR own IN
    SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef
      AND NOT EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting ~ '^search_path=.*, *pg_temp$')
  LOOP
    -- guard: temporary tables come last for every function of the owner
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', own, current_schema());
  END LOOP;
END $$;
