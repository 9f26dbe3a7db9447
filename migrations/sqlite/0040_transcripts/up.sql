-- Copies of conversations that were asked for by mail, so that nobody can be flooded with them.
CREATE TABLE transcripts (
    site_id TEXT NOT NULL,
    id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    email TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX transcripts_conversation ON transcripts (site_id, conversation_id);
CREATE INDEX transcripts_email ON transcripts (site_id, email, created_at_ms);
