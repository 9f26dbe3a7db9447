-- Why an answer did not help, in the words of the visitor too, and the source of the first citation, by which analytics group.
ALTER TABLE conversations ADD COLUMN feedback_reason TEXT COLLATE "C";
ALTER TABLE conversations ADD COLUMN feedback_comment TEXT COLLATE "C";
ALTER TABLE conversations ADD COLUMN source_id TEXT COLLATE "C";
-- The handoffs of a conversation over time, with the rating of the visitor. A conversation that was resolved can be opened again, so it
-- can have several.
CREATE TABLE handoffs (
    site_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    began_at_ms BIGINT NOT NULL,
    is_requested BOOLEAN NOT NULL,
    assigned_at_ms BIGINT,
    first_reply_at_ms BIGINT,
    resolved_at_ms BIGINT,
    member_id TEXT COLLATE "C",
    rating BIGINT,
    comment TEXT COLLATE "C",
    rated_at_ms BIGINT,
    PRIMARY KEY (site_id, conversation_id, number),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
);
CREATE INDEX handoffs_began ON handoffs (site_id, began_at_ms);
