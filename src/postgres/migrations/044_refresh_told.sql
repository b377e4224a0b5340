-- Up Migration

-- The mail that tells a person of the end, which all families that ended at about the same time share; and when it was sent, or could not be.
ALTER TABLE refresh_family ADD COLUMN notice_id uuid, ADD COLUMN told_at timestamptz;
-- Nobody is told of what ended before there were such mails.
UPDATE refresh_family SET told_at = now() WHERE ended_at IS NOT NULL;
