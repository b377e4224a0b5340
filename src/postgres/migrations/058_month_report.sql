-- Up Migration

-- Which months' reports went out by mail (docs/audit.md). A month without a row is still to be sent, where it is not older than the first one.
CREATE TABLE month_report (
  month text PRIMARY KEY CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  mailed_at timestamptz NOT NULL CHECK (mailed_at BETWEEN '1970-01-01Z' AND '3000-01-01Z'),
  -- To how many recipients, and how many of them a mail server took it for.
  recipients integer NOT NULL CHECK (recipients > 0),
  accepted integer NOT NULL CHECK (accepted BETWEEN 0 AND recipients)
);
