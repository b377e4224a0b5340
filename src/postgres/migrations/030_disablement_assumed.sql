-- Up Migration

-- The engine was gone when its call was answered: the change is counted as its own, and nobody saw it made.
ALTER TABLE disablement ADD COLUMN is_assumed boolean NOT NULL DEFAULT false;
