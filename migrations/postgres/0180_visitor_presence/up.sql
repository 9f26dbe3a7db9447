-- Time at which the visitor of the session was last connected, asked or wrote. Null means that it is not known.
ALTER TABLE sessions ADD COLUMN last_seen_at_ms BIGINT;
