-- What is known of the visit of a session: the page, where the visitor came from, and the browser. The contact is the person whom
-- an identity token names.
ALTER TABLE sessions ADD COLUMN page_url TEXT;
ALTER TABLE sessions ADD COLUMN referrer TEXT;
ALTER TABLE sessions ADD COLUMN language TEXT;
ALTER TABLE sessions ADD COLUMN browser TEXT;
ALTER TABLE sessions ADD COLUMN contact_id TEXT;
UPDATE sessions SET last_seen_at_ms = created_at_ms WHERE last_seen_at_ms IS NULL;
-- Imported conversations and those of early versions get the session that the others have. Its token was issued to nobody.
INSERT INTO sessions (site_id, session_id, token_id, created_at_ms, last_seen_at_ms)
SELECT
    site_id, session_id,
    lower(printf(
        '%08x-%04x-7%s-8%s-%s', MIN(created_at_ms) >> 16, MIN(created_at_ms) & 65535, substr(hex(randomblob(2)), 2),
        substr(hex(randomblob(2)), 2), hex(randomblob(6))
    )),
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
