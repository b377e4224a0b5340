-- Up Migration

-- Marked right before the act has its first effect: a grant that was never used gives its place back.
ALTER TABLE breaker_grant ADD COLUMN used_at timestamptz;
-- What older builds let through may have been carried out.
UPDATE breaker_grant SET used_at = granted_at;
CREATE INDEX breaker_trip_ended ON breaker_trip (cause, scope, released_at);

-- How many acts were let through in each minute, kept by triggers: what the limit is computed from in a few rows, however many
-- grants there are.
CREATE TABLE breaker_tally (
  action text NOT NULL,
  minute timestamptz NOT NULL,
  grants bigint NOT NULL,
  PRIMARY KEY (action, minute)
) WITH (fillfactor = 50);
INSERT INTO breaker_tally (action, minute, grants)
SELECT action, date_bin('1 minute', granted_at, timestamptz 'epoch'), count(*) FROM breaker_grant GROUP BY 1, 2;

CREATE FUNCTION breaker_tally_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO breaker_tally AS known (action, minute, grants)
    SELECT action, date_bin('1 minute', granted_at, timestamptz 'epoch'), count(*) FROM changed GROUP BY 1, 2
    ON CONFLICT (action, minute) DO UPDATE SET grants = known.grants + EXCLUDED.grants;
  ELSE
    -- guard: breaker: what was given back is not counted
    UPDATE breaker_tally AS known SET grants = known.grants - gone.grants
    FROM (
      SELECT action, date_bin('1 minute', granted_at, timestamptz 'epoch') AS minute, count(*) AS grants
      FROM changed GROUP BY 1, 2
    ) AS gone
    WHERE known.action = gone.action AND known.minute = gone.minute;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER breaker_tally_add AFTER INSERT ON breaker_grant REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION breaker_tally_keep();
CREATE TRIGGER breaker_tally_take AFTER DELETE ON breaker_grant REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION breaker_tally_keep();
CREATE FUNCTION breaker_tally_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM breaker_tally;
  RETURN NULL;
END $$;
CREATE TRIGGER breaker_tally_empty AFTER TRUNCATE ON breaker_grant
  FOR EACH STATEMENT EXECUTE FUNCTION breaker_tally_empty();

-- The longest window that any policy counts in: grants are kept for two of it.
CREATE TABLE breaker_window (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  longest_ms bigint NOT NULL
);

-- Who was woken after a release, and when: of many workers one wakes each.
CREATE TABLE breaker_wake (
  identity_id uuid PRIMARY KEY,
  woken_at timestamptz NOT NULL
);
CREATE INDEX standing_held_by_breaker ON standing (identity_id) WHERE blocked_by = 'breaker';

-- How many acts of a kind were let through since a time: whole minutes by the tally, the one in which it begins by its grants.
CREATE FUNCTION breaker_count(an_action text, since timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((
    SELECT sum(grants) FROM breaker_tally
    WHERE action = an_action AND minute > date_bin('1 minute', since, timestamptz 'epoch')
  ), 0)::bigint + (
    SELECT count(*) FROM breaker_grant
    -- guard: breaker: the count is that of the window
    WHERE action = an_action AND granted_at > since
      AND granted_at < date_bin('1 minute', since, timestamptz 'epoch') + interval '1 minute'
  )
$$;

-- The oldest active trip that stops an act, and whether operators let it pass. A trip by the limit stops no act that was counted within it.
CREATE FUNCTION breaker_stop(an_act text, an_action text, an_identity uuid, OUT stopped_by bigint, OUT has_pass boolean)
LANGUAGE plpgsql AS $$
DECLARE
  trips bigint[];
  releases bigint[];
BEGIN
  has_pass := false;
  SELECT array_agg(id ORDER BY tripped_at, id) INTO trips FROM breaker_trip
  WHERE released_at IS NULL AND scope IN (an_action, 'all')
    AND NOT (cause = 'limit' AND EXISTS (SELECT FROM breaker_grant WHERE act_key = an_act));
  IF trips IS NULL THEN RETURN; END IF;
  SELECT array_agg(release_id) INTO releases FROM (
    SELECT DISTINCT ON (trip_id) release_id FROM breaker_pass
    WHERE identity_id = an_identity AND trip_id = ANY(trips) AND (used_by IS NULL OR used_by = an_act)
    ORDER BY trip_id, release_id
  ) AS passes;
  IF coalesce(cardinality(releases), 0) < cardinality(trips) THEN
    stopped_by := trips[1];
    RETURN;
  END IF;
  UPDATE breaker_pass SET used_by = an_act WHERE identity_id = an_identity AND release_id = ANY(releases);
  has_pass := true;
END $$;

-- Answers any number of acts in one call, one after another under the lock: a limit is never exceeded, whoever asks.
CREATE FUNCTION breaker_ask(
  asked_at timestamptz, act_keys text[], actions text[], identities uuid[],
  windows_ms bigint[], allowed bigint[], doubted boolean[],
  OUT nth integer, OUT verdict text, OUT held_by bigint, OUT done bigint
) RETURNS SETOF record LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  since timestamptz;
  counted_action text;
  counted_since timestamptz;
  counted bigint;
  passes boolean;
BEGIN
  -- guard: breaker: one decides at a time (lock)
  PERFORM pg_advisory_xact_lock(hashtext('dormouse/breaker'));
  FOR i IN 1 .. coalesce(cardinality(act_keys), 0) LOOP
    nth := i;
    done := NULL;
    since := NULL;
    SELECT stopped_by, has_pass INTO held_by, passes FROM breaker_stop(act_keys[i], actions[i], identities[i]);
    IF held_by IS NOT NULL THEN
      verdict := 'held';
    ELSIF passes THEN
      verdict := 'granted';
    ELSIF doubted[i] THEN
      verdict := 'doubted';
    -- guard: breaker: an act counts once
    ELSIF EXISTS (SELECT FROM breaker_grant WHERE act_key = act_keys[i]) THEN
      verdict := 'granted';
    ELSE
      since := greatest(
        asked_at - make_interval(secs => windows_ms[i] / 1000.0),
        (SELECT max(released_at) FROM breaker_trip WHERE cause = 'limit' AND scope = actions[i])
      );
      -- Nobody else adds to the count before this call ends.
      IF counted IS NULL OR counted_action <> actions[i] OR counted_since <> since THEN
        counted := breaker_count(actions[i], since);
        counted_action := actions[i];
        counted_since := since;
      END IF;
      done := counted;
      verdict := CASE WHEN counted < allowed[i] THEN 'granted' ELSE 'limit' END;
    END IF;
    IF verdict = 'granted' THEN
      INSERT INTO breaker_grant (act_key, action, identity_id, granted_at)
      -- A release by a clock that is ahead: what is granted after it counts all the same.
      -- guard: breaker: a release by a clock that is ahead
      VALUES (act_keys[i], actions[i], identities[i], greatest(asked_at, since + interval '1 millisecond'))
      ON CONFLICT (act_key) DO NOTHING;
      IF FOUND THEN counted := CASE WHEN counted_action = actions[i] THEN counted + 1 END; END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

-- Asked right before the first effect of an act that was let through. NULL: it goes on, and its grant is used.
CREATE FUNCTION breaker_use(
  an_act text, an_action text, an_identity uuid, used timestamptz, OUT held_by bigint, OUT is_counted boolean
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT stopped_by INTO held_by FROM breaker_stop(an_act, an_action, an_identity);
  is_counted := EXISTS (SELECT FROM breaker_grant WHERE act_key = an_act);
  IF held_by IS NULL THEN
    UPDATE breaker_grant SET used_at = used WHERE act_key = an_act AND used_at IS NULL;
  END IF;
END $$;
