-- Up Migration

-- The newest sign of life that was recorded in the hour, and whose it was. Where `identity_activity` knows less than that of an
-- identity that is still there, the table was brought back from a backup.
ALTER TABLE activity_feed ADD COLUMN newest_at timestamptz, ADD COLUMN newest_identity uuid;
