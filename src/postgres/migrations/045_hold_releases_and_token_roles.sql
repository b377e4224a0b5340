-- Up Migration

-- Makes repeating a release harmless where no lifecycle runs that remembers the request.
ALTER TABLE identity_hold ADD COLUMN release_key text;

-- The roles of an owner have changed: the live tokens are under the ceilings of the present ones.
CREATE FUNCTION personal_token_follow_roles(an_identity uuid, the_roles text[])
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  changed integer;
BEGIN
  IF cardinality(the_roles) > 100 OR char_length(array_to_string(the_roles, ' ')) > 10000 THEN
    RAISE EXCEPTION 'too many roles' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE personal_token SET roles = the_roles
  WHERE identity_id = an_identity AND ended_at IS NULL AND roles IS DISTINCT FROM the_roles;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed > 0 THEN
    PERFORM pg_notify('dormouse_personal_tokens', 'owner/' || an_identity);
  END IF;
  RETURN changed;
END $$;

DO $$
BEGIN
  EXECUTE format('ALTER FUNCTION personal_token_follow_roles SET search_path = %I, pg_temp', current_schema());
  REVOKE EXECUTE ON FUNCTION personal_token_follow_roles FROM PUBLIC;
END $$;
