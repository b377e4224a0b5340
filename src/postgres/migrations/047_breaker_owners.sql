-- Up Migration

-- Who answers for the credential by which an operator agreed (docs/principals.md). Null: the operator was named on the command line, and
-- answers under that name.
ALTER TABLE breaker_release_vote ADD COLUMN owner text CHECK (owner ~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$');

-- Two credentials of one owner are one operator. Votes come one at a time, under the breaker's lock.
CREATE FUNCTION breaker_vote_of_another() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM breaker_release_vote WHERE release_id = NEW.release_id
      AND lower(coalesce(owner, actor)) = lower(coalesce(NEW.owner, NEW.actor))) THEN
    -- guard: principals: the database counts owners as well
    RAISE EXCEPTION 'this operator agreed already' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER breaker_vote_of_another BEFORE INSERT ON breaker_release_vote
  FOR EACH ROW EXECUTE FUNCTION breaker_vote_of_another();

-- The same as breaker_agree, for somebody who showed a credential.
CREATE FUNCTION breaker_agree_as(a_release bigint, an_actor text, an_owner text, at_ms bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  in_force boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/breaker'));
  IF EXISTS (SELECT FROM breaker_release_vote WHERE release_id = a_release
      AND lower(coalesce(owner, actor)) = lower(an_owner)) THEN
    RAISE EXCEPTION 'this operator agreed already' USING ERRCODE = 'unique_violation';
  END IF;
  in_force := breaker_agree(a_release, an_actor, at_ms);
  UPDATE breaker_release_vote SET owner = an_owner WHERE release_id = a_release AND actor = an_actor;
  RETURN in_force;
END $$;

DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION breaker_agree_as SET search_path = %I, pg_temp', current_schema());
  REVOKE EXECUTE ON FUNCTION breaker_agree_as FROM PUBLIC;
END $$;
