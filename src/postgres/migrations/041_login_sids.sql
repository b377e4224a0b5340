-- Up Migration

-- Hydra's token hook asks for the session that a login belongs to.
CREATE INDEX idle_session_login_sids ON idle_session USING gin (login_sids);
