-- Why an answer did not help, in the words of the visitor too, and the source of the first citation, by which analytics group.
ALTER TABLE conversations ADD COLUMN feedback_reason TEXT;
ALTER TABLE conversations ADD COLUMN feedback_comment TEXT;
ALTER TABLE conversations ADD COLUMN source_id TEXT;
-- The handoffs of a conversation over time, with the rating of the visitor. A conversation that was resolved can be opened again, so it
-- can have several.
CREATE TABLE handoffs (
    site_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    began_at_ms INTEGER NOT NULL,
    is_requested INTEGER NOT NULL,
    assigned_at_ms INTEGER,
    first_reply_at_ms INTEGER,
    resolved_at_ms INTEGER,
    member_id TEXT,
    rating INTEGER,
    comment TEXT,
    rated_at_ms INTEGER,
    PRIMARY KEY (site_id, conversation_id, number),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX handoffs_began ON handoffs (site_id, began_at_ms);
