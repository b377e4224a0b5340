-- Up Migration

-- Reports of mails that came back and that could not be matched with one of ours: shown to operators, never dropped in silence.
-- No address: what the report calls the mail, and a status code.
CREATE TABLE bounce_unmatched (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  received_at timestamptz NOT NULL,
  -- Where it came in: http, dsn, pipe, or the name of a provider.
  source text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('hard', 'soft', 'complaint')),
  code text,
  -- At most 200 characters.
  reference text NOT NULL
);

-- Who wants no mail that is not owed: by one click in such a mail.
CREATE TABLE mail_preference (
  identity_id uuid PRIMARY KEY,
  unsubscribed_at timestamptz NOT NULL
);

-- A link that ends such mails is bound to no absence, and names no rung.
ALTER TABLE link DROP CONSTRAINT link_purpose_check;
ALTER TABLE link ADD CONSTRAINT link_purpose_check CHECK (purpose IN ('keep', 'reactivate', 'unsubscribe'));
