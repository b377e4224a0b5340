-- Up Migration

-- Each cause has a trip of its own: the release of one says nothing of another.
DROP INDEX breaker_trip_active;
CREATE UNIQUE INDEX breaker_trip_active ON breaker_trip (scope, cause) WHERE released_at IS NULL;
