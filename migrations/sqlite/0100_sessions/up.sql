-- Sessions that visitors began. A session token names the token_id of its session, so that it ends with the row. The token_id of
-- a conversation or event is that of the token that proved its question, or null when the question was asked without proof.
CREATE TABLE sessions (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, session_id)
) STRICT, WITHOUT ROWID;
ALTER TABLE conversations ADD COLUMN token_id TEXT;
ALTER TABLE events ADD COLUMN token_id TEXT;
