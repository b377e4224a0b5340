-- Up Migration

-- Where the audit log begins since older rows were removed: the last row that vouches for them, with its signed head. Rows are only
-- ever removed below such a row, so the chain stays whole from there on.
CREATE TABLE audit_checkpoint (
  seq bigint PRIMARY KEY CHECK (seq > 0),
  hash text NOT NULL,
  -- Of the signed head of that row.
  signed_at timestamptz NOT NULL,
  key_id text NOT NULL,
  signature text NOT NULL,
  pruned_at timestamptz NOT NULL,
  actor text NOT NULL
);

CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit', 'audit_head') THEN
    -- guard: audit: rows go below a checkpoint only
    IF OLD.seq < coalesce((SELECT max(seq) FROM audit_checkpoint), 0) THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION audit_is_append_only() SET search_path = %I, pg_temp', current_schema());
END $$;

CREATE TRIGGER audit_checkpoint_no_change BEFORE UPDATE OR DELETE ON audit_checkpoint
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
