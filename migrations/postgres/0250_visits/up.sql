-- What is known of the visit of a session: the page, where the visitor came from, and the browser. The contact is the person whom
-- an identity token names.
ALTER TABLE sessions ADD COLUMN page_url TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN referrer TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN language TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN browser TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN contact_id TEXT COLLATE "C";
UPDATE sessions SET last_seen_at_ms = created_at_ms WHERE last_seen_at_ms IS NULL;
-- Imported conversations and those of early versions get the session that the others have. Its token was issued to nobody.
INSERT INTO sessions (site_id, session_id, token_id, created_at_ms, last_seen_at_ms)
SELECT
    site_id, session_id,
    overlay(
        md5(site_id || session_id || random()::text || clock_timestamp()::text)
        PLACING lpad(to_hex(MIN(created_at_ms)), 12, '0') || '7' FROM 1
    )::uuid::text,
    MIN(created_at_ms), MAX(created_at_ms)
FROM conversations
WHERE NOT EXISTS (
    SELECT 1 FROM sessions AS known WHERE known.site_id = conversations.site_id AND known.session_id = conversations.session_id
)
GROUP BY site_id, session_id;
-- The ID of the token is the global ID of the session, and decides the order of sessions of the same time.
CREATE INDEX sessions_token ON sessions (site_id, token_id);
CREATE INDEX sessions_seen ON sessions (site_id, last_seen_at_ms, token_id);
CREATE INDEX sessions_contact ON sessions (site_id, contact_id, last_seen_at_ms) WHERE contact_id IS NOT NULL;
