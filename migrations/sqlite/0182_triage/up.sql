-- What the team notes about a conversation, which visitors never see: its priority, tags and notes.
ALTER TABLE conversations ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
CREATE TABLE conversation_tags (
    site_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (site_id, conversation_id, tag),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_tags_tag ON conversation_tags (site_id, tag);
CREATE TABLE conversation_notes (
    site_id TEXT NOT NULL,
    id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    member_id TEXT,
    author_name TEXT,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_notes_conversation ON conversation_notes (site_id, conversation_id, id);
-- Texts that members send often, with placeholders such as {{visitor.email}}.
CREATE TABLE canned_replies (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX canned_replies_name ON canned_replies (site_id, name);
