-- Up Migration

-- How far each audit table of an app has been read (docs/activity/sql-source.md). Position: time and identity of the last row.
CREATE TABLE activity_source (
  name text PRIMARY KEY,
  -- Hash of what is read; where it changes, reading starts over.
  definition text NOT NULL,
  cursor_at timestamptz,
  cursor_identity text COLLATE "C" NOT NULL DEFAULT '',
  rows_read bigint NOT NULL DEFAULT 0,
  -- Rows whose identity column held no UUID.
  rows_unusable bigint NOT NULL DEFAULT 0,
  read_at timestamptz
);
