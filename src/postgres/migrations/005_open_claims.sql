-- Up Migration

-- A claim is open from the sign of life until its workflow was told. What a process leaves open when it dies is handed on.
ALTER TABLE activity_signal
  -- Who is telling the workflow: one value a batch. NULL: it was told.
  ADD COLUMN open_claim uuid,
  -- By the database's clock, since those of the gateways differ.
  ADD COLUMN open_since timestamptz;
CREATE INDEX activity_signal_open ON activity_signal (open_since) WHERE open_claim IS NOT NULL;
