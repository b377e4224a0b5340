-- Up Migration

-- What the mail server answered to each mail, and what came back afterwards. Still no address and no content.
ALTER TABLE mail DROP CONSTRAINT mail_state_check;
ALTER TABLE mail ADD CONSTRAINT mail_state_check
  CHECK (state IN ('sending', 'accepted', 'ambiguous', 'rejected', 'deferred', 'bounced'));

-- The mail that this is one address' copy of: all copies of one notice share it.
ALTER TABLE mail ADD COLUMN request_key text;
UPDATE mail SET request_key = regexp_replace(message_key, '/[^/]*$', '');
ALTER TABLE mail ALTER COLUMN request_key SET NOT NULL;

-- The proof: the server's last reply, the token under which it keeps the mail, and which server that was.
ALTER TABLE mail ADD COLUMN reply_code integer;
ALTER TABLE mail ADD COLUMN enhanced_code text;
ALTER TABLE mail ADD COLUMN queue_id text;
ALTER TABLE mail ADD COLUMN accepted_by text;

-- How often the final dot was sent and no answer came; other attempts cost no duplicate.
ALTER TABLE mail ADD COLUMN handovers integer NOT NULL DEFAULT 0;

-- Who is sending it at this moment, so that two attempts never hand it over at once.
ALTER TABLE mail ADD COLUMN claim uuid;
ALTER TABLE mail ADD COLUMN claimed_until timestamptz;

ALTER TABLE mail ADD COLUMN bounce_class text CHECK (bounce_class IN ('hard', 'soft', 'complaint'));
ALTER TABLE mail ADD COLUMN bounce_code text;
ALTER TABLE mail ADD COLUMN bounced_at timestamptz;

CREATE INDEX mail_message_id ON mail (message_id);
