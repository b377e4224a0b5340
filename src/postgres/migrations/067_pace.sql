-- Up Migration

-- At which pace the workers of the installation call Kratos and Hydra (docs/rates.md): one row for each system. Times are of
-- this server's clock, in epoch milliseconds. Losing the rows loses nothing: the pace is found again.
CREATE TABLE pace (
  system text PRIMARY KEY CHECK (system IN ('kratos', 'hydra')),
  rate double precision NOT NULL CHECK (rate > 0 AND rate <= 100000),
  next_at double precision NOT NULL,
  paused_until double precision NOT NULL,
  changed_at double precision NOT NULL
);
