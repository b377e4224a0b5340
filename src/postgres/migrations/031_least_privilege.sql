-- Up Migration

-- What must be true of each row, however it came there, is computed here and not by who connects: the runtime role may call
-- these functions and may not write the tables behind them (src/postgres/roles.ts).

-- Appends entries to the audit log: place, hash and columns all follow from the text.
-- texts: each a JSON array, the entry's fields in the order of audit-chain.ts without its place.
-- Answers with the entries that were new.
CREATE FUNCTION audit_append(texts text[], OUT nth integer, OUT row_seq bigint)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  entry jsonb;
  shape text;
  place bigint := 0;
  before_hash text := repeat('0', 64);
  hashed text;
  own_hash text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/audit'));
  SELECT seq, hash INTO place, before_hash FROM audit ORDER BY seq DESC LIMIT 1;
  place := coalesce(place, 0);
  before_hash := coalesce(before_hash, repeat('0', 64));
  FOR i IN 1 .. coalesce(cardinality(texts), 0) LOOP
    entry := texts[i]::jsonb;
    SELECT string_agg(CASE jsonb_typeof(field) WHEN 'null' THEN '-' ELSE left(jsonb_typeof(field), 1) END, '' ORDER BY n)
    INTO shape
    FROM jsonb_array_elements(entry) WITH ORDINALITY AS fields (field, n);
    -- Strings, numbers, nulls and an object: what a column could not say again would make the chain look broken.
    IF left(texts[i], 1) <> '[' OR coalesce(shape, '') !~ '^ssssn[s-][n-][s-]snso$'
      -- guard: audit: an entry says what its columns can say
      OR (entry ->> 2)::uuid::text <> entry ->> 2 OR entry ->> 4 !~ '^-?\d{1,15}$' THEN
      RAISE EXCEPTION 'no entry of the audit log' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- guard: audit: one event, one row
    CONTINUE WHEN EXISTS (SELECT FROM audit WHERE event_id = entry ->> 0);
    place := place + 1;
    hashed := '[' || place || ',' || substr(texts[i], 2);
    own_hash := encode(sha256(convert_to(before_hash || E'\n' || hashed, 'UTF8')), 'hex');
    INSERT INTO audit (seq, event_id, event_type, target, actor, occurred_at, policy_id, policy_version, stage,
      days_inactive, outcome, detail, canonical, previous_hash, hash)
    VALUES (place, entry ->> 0, entry ->> 1, (entry ->> 2)::uuid, entry ->> 3,
      timestamptz 'epoch' + (entry ->> 4)::bigint * interval '1 millisecond', entry ->> 5, (entry ->> 6)::integer,
      entry ->> 8, (entry ->> 9)::double precision, entry ->> 10, entry -> 11, hashed, before_hash, own_hash);
    before_hash := own_hash;
    nth := i;
    row_seq := place;
    RETURN NEXT;
  END LOOP;
END $$;

-- Two heads of one row by one key: one of them may be forged, and must not keep the other out.
ALTER TABLE audit_head DROP CONSTRAINT audit_head_pkey;
ALTER TABLE audit_head ADD PRIMARY KEY (seq, key_id, signature);

-- Only what stands in the log can be signed.
CREATE FUNCTION audit_head_add(a_seq bigint, a_hash text, an_at timestamptz, a_key text, a_signature text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO audit_head (seq, hash, signed_at, key_id, signature)
  -- guard: audit: only what stands in the log is signed
  SELECT seq, hash, an_at, a_key, a_signature FROM audit WHERE seq = a_seq AND hash = a_hash;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the audit log has no such row' USING ERRCODE = 'invalid_parameter_value';
  END IF;
END $$;

-- Adds the next version of a policy, with its entry in the log: none is ever in force that nobody is named for.
CREATE FUNCTION policy_add(
  an_id text, a_source text, an_event text, an_outcome text, an_actor text, a_reason text, at_ms bigint,
  OUT added integer, OUT text_hash text
) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF an_event NOT IN ('policy_published', 'policy_rolled_back') THEN
    RAISE EXCEPTION 'no publication' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('policy/' || an_id));
  SELECT coalesce(max(version), 0) + 1 INTO added FROM policy WHERE id = an_id;
  text_hash := encode(sha256(convert_to(a_source, 'UTF8')), 'hex');
  INSERT INTO policy (id, version, hash, source, published_at)
  VALUES (an_id, added, text_hash, a_source, timestamptz 'epoch' + at_ms * interval '1 millisecond');
  PERFORM audit_append(ARRAY[json_build_array(
    -- guard: policies: each version has its audit entry
    'policy/' || an_id || '/' || added || '/' || left(text_hash, 16), an_event,
    '00000000-0000-0000-0000-000000000000', an_actor, at_ms, an_id, added, text_hash, 'none', 0, an_outcome,
    json_build_object('reason', a_reason, 'policyId', an_id, 'version', added, 'hash', text_hash)
  )::text]);
  IF NOT EXISTS (SELECT FROM audit WHERE event_id = 'policy/' || an_id || '/' || added || '/' || left(text_hash, 16)
    AND actor = an_actor) THEN
    RAISE EXCEPTION 'the audit log has another entry in the place of this publication'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END $$;

-- Counts an operator for a release, with the entry in the log, and puts it in force when there are enough. To be called under
-- the breaker's lock. Answers whether it is in force.
CREATE FUNCTION breaker_agree(a_release bigint, an_actor text, at_ms bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  decided breaker_release%ROWTYPE;
  needed smallint;
  agreed bigint;
  moment timestamptz := timestamptz 'epoch' + at_ms * interval '1 millisecond';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/breaker'));
  SELECT * INTO STRICT decided FROM breaker_release WHERE id = a_release AND effective_at IS NULL;
  SELECT operators INTO STRICT needed FROM breaker_trip WHERE id = decided.trip_id AND released_at IS NULL;
  INSERT INTO breaker_release_vote (release_id, actor, voted_at) VALUES (a_release, an_actor, moment);
  SELECT count(*) INTO agreed FROM breaker_release_vote WHERE release_id = a_release;
  -- guard: breaker: a release by two operators
  IF agreed >= needed THEN
    UPDATE breaker_release SET effective_at = moment WHERE id = a_release;
    IF decided.identities IS NULL THEN
      UPDATE breaker_trip SET released_at = moment WHERE id = decided.trip_id;
    ELSE
      INSERT INTO breaker_pass (release_id, trip_id, identity_id)
      SELECT a_release, decided.trip_id, identity FROM unnest(decided.identities) AS identity ON CONFLICT DO NOTHING;
    END IF;
  END IF;
  PERFORM audit_append(ARRAY[json_build_array(
    'breaker/release/' || a_release || '/' || agreed,
    CASE WHEN agreed >= needed THEN 'breaker_released' ELSE 'breaker_release_proposed' END,
    '00000000-0000-0000-0000-000000000000', an_actor, at_ms, NULL, NULL, NULL, 'none', 0,
    CASE WHEN agreed >= needed THEN 'in force' ELSE 'waits for another operator' END,
    json_build_object('releaseId', a_release, 'tripId', decided.trip_id, 'reason', decided.reason,
      'covers', coalesce(to_json(cardinality(decided.identities)), to_json('all'::text)))
  )::text]);
  RETURN agreed >= needed;
END $$;

-- Proposes a release. Answers with its id; who proposes it still has to agree.
CREATE FUNCTION breaker_propose(a_trip bigint, a_reason text, some_identities uuid[], moment timestamptz)
RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO breaker_release (trip_id, reason, identities, proposed_at)
  VALUES (a_trip, a_reason, some_identities, moment) RETURNING id
$$;

-- It marks passes as used, which nobody else may touch.
ALTER FUNCTION breaker_stop(text, text, uuid) SECURITY DEFINER;

-- A mail on its way: begun, kept, settled, given up, come back. No answer of a server is written but of an attempt that was begun.
CREATE FUNCTION mail_claim(
  a_key text, a_request text, an_identity uuid, a_kind text, a_message text, moment timestamptz, a_claim uuid,
  claim_ms integer, most_handovers integer, OUT attempts integer, OUT handovers integer
) RETURNS SETOF record LANGUAGE sql SECURITY DEFINER AS $$
  INSERT INTO mail AS known
    (message_key, request_key, identity_id, kind, message_id, state, attempts, first_tried_at, claim, claimed_until)
  VALUES (a_key, a_request, an_identity, a_kind, a_message, 'sending', 1, moment, a_claim,
    now() + claim_ms * interval '1 millisecond')
  ON CONFLICT (message_key) DO UPDATE
    SET state = 'sending', attempts = known.attempts + 1, settled_at = NULL,
        claim = EXCLUDED.claim, claimed_until = EXCLUDED.claimed_until
    -- guard: two attempts never hand a mail over at once
    WHERE (known.claimed_until IS NULL OR known.claimed_until <= now())
      -- guard: mail: one that was accepted is not sent again
      AND (known.state IN ('sending', 'deferred') OR (known.state = 'ambiguous' AND known.handovers < most_handovers))
  RETURNING known.attempts, known.handovers
$$;

CREATE FUNCTION mail_keep(a_key text, a_claim uuid, claim_ms integer)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE mail SET claimed_until = now() + claim_ms * interval '1 millisecond'
  WHERE message_key = a_key AND claim = a_claim AND claimed_until > now();
  RETURN FOUND;
END $$;

-- An acceptance counts whoever holds the claim by now: it is a fact. A bounce that was quicker than this stays.
CREATE FUNCTION mail_settle(
  a_key text, a_claim uuid, a_state text, a_code integer, an_enhanced text, a_queue text, a_server text, moment timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  UPDATE mail SET
    -- guard: a bounce before the acceptance stays one
    state = CASE WHEN bounce_class = 'hard' THEN 'bounced' ELSE a_state END,
    handovers = handovers + CASE WHEN a_state = 'ambiguous' THEN 1 ELSE 0 END,
    reply_code = a_code, enhanced_code = an_enhanced, queue_id = a_queue,
    accepted_by = CASE WHEN a_state = 'accepted' THEN a_server END,
    settled_at = moment, claim = NULL, claimed_until = NULL
  WHERE message_key = a_key AND (claim = a_claim OR (a_state = 'accepted' AND state <> 'accepted'))
$$;

CREATE FUNCTION mail_drop(a_key text, a_claim uuid) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
  UPDATE mail SET claim = NULL, claimed_until = NULL WHERE message_key = a_key AND claim = a_claim
$$;

-- A hard bounce makes a mail count no longer, for good: later ones, and milder ones, change nothing.
CREATE FUNCTION mail_come_back(a_key text, a_class text, a_code text, moment timestamptz)
RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$
  UPDATE mail SET
    -- guard: a bounce makes the copy count no longer
    state = CASE WHEN a_class = 'hard' AND state <> 'rejected' THEN 'bounced' ELSE state END,
    bounce_class = CASE WHEN bounce_class = 'hard' THEN 'hard' ELSE a_class END,
    bounce_code = CASE WHEN bounce_class = 'hard' THEN bounce_code ELSE a_code END,
    bounced_at = CASE WHEN bounce_class = 'hard' THEN bounced_at ELSE moment END
  WHERE message_key = a_key RETURNING identity_id
$$;

DO $$
DECLARE
  own regprocedure;
BEGIN
  FOR own IN
    SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef
      AND proname ~ '^(audit|policy|breaker|mail)_'
  LOOP
    -- Temporary tables last: nobody who calls them puts a table of their own in the place of ours.
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', own, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own);
  END LOOP;
END $$;
