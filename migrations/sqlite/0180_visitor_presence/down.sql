ALTER TABLE sessions DROP COLUMN last_seen_at_ms;
