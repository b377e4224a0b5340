-- Up Migration

-- Signed heads of the audit log's chain: whoever changes the log later has to change these too, and can't sign them.
CREATE TABLE audit_head (
  seq bigint NOT NULL CHECK (seq > 0),
  hash text NOT NULL,
  signed_at timestamptz NOT NULL,
  -- RFC 7638 thumbprint of the key.
  key_id text NOT NULL,
  -- JWS, compact serialization, over {seq, hash, at}.
  signature text NOT NULL,
  PRIMARY KEY (seq, key_id)
);
CREATE INDEX audit_head_signed_at ON audit_head (signed_at);

CREATE TRIGGER audit_head_no_change BEFORE UPDATE OR DELETE ON audit_head
  FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
