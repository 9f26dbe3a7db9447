-- Up to which message each side of a conversation has read it.
CREATE TABLE read_marks (
    site_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    reader TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (site_id, conversation_id, reader),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
