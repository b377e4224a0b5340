-- Up Migration

-- Makes repeating a release harmless where no lifecycle runs that remembers the request.
ALTER TABLE identity_hold ADD COLUMN release_key text;
