-- Up Migration

-- Some identities that Kratos had: whether it still has them is the control behind each absence.
CREATE TABLE kratos_witness (
  identity_id uuid PRIMARY KEY,
  -- By Kratos: the same identity in another installation would have another.
  created_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL
);

-- Operators' word that an identity is gone for good.
CREATE TABLE absence_confirmation (
  identity_id uuid PRIMARY KEY,
  confirmed_at timestamptz NOT NULL,
  without_grace boolean NOT NULL,
  actor text NOT NULL,
  reason text NOT NULL
);

-- Written right before Kratos is told to delete an identity that was there.
CREATE TABLE deletion_intent (
  identity_id uuid PRIMARY KEY,
  -- The absence for which it is deleted.
  inactive_since timestamptz NOT NULL,
  intended_at timestamptz NOT NULL
);

-- Forgetting the identities that are gone from Kratos has limits of its own.
ALTER TABLE breaker_trip DROP CONSTRAINT breaker_trip_scope_check;
ALTER TABLE breaker_trip ADD CONSTRAINT breaker_trip_scope_check
  CHECK (scope IN ('revoke', 'deactivate', 'delete', 'bury', 'all'));
ALTER TABLE breaker_grant DROP CONSTRAINT breaker_grant_action_check;
ALTER TABLE breaker_grant ADD CONSTRAINT breaker_grant_action_check
  CHECK (action IN ('revoke', 'deactivate', 'delete', 'bury'));

-- What an identity that shows up again after its burial stands by. Nothing personal; absent where the engine deleted it itself.
ALTER TABLE tombstone ADD COLUMN remembered jsonb;

CREATE INDEX standing_missing ON standing (identity_id) WHERE blocked_by = 'missing';

-- Somebody who was buried and is there again. The runtime role can't delete tombstones otherwise. A shell stays nobody.
CREATE FUNCTION lift_tombstone(an_identity uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE
  engines jsonb;
BEGIN
  DELETE FROM tombstone WHERE identity_id = an_identity AND action <> 'anonymise'
  RETURNING remembered -> 'disablement' INTO engines;
  IF engines IS NULL OR jsonb_typeof(engines) <> 'object' THEN RETURN; END IF;
  INSERT INTO disablement (identity_id, state_changed_before, intended_at, state_changed_at)
  VALUES (
    an_identity, (engines ->> 'state_changed_before')::timestamptz, (engines ->> 'intended_at')::timestamptz,
    (engines ->> 'state_changed_at')::timestamptz
  )
  ON CONFLICT (identity_id) DO NOTHING;
END $$;
