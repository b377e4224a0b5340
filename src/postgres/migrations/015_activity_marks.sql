-- Up Migration

-- A sample of the signs of life that were recorded: some identities of each ten minutes, with their newest sign. Where
-- `identity_activity` knows less than that of an identity that is still there, the table was brought back from a backup.
CREATE TABLE activity_mark (
  period timestamptz NOT NULL,
  identity_id uuid NOT NULL,
  newest_at timestamptz NOT NULL,
  PRIMARY KEY (period, identity_id)
);
CREATE INDEX activity_mark_identity ON activity_mark (identity_id);
