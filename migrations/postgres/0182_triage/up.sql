-- What the team notes about a conversation, which visitors never see: its priority, tags and notes.
ALTER TABLE conversations ADD COLUMN priority TEXT COLLATE "C" NOT NULL DEFAULT 'normal';
CREATE TABLE conversation_tags (
    site_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, conversation_id, tag),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_tags_tag ON conversation_tags (site_id, tag);
CREATE TABLE conversation_notes (
    site_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C",
    author_name TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_notes_conversation ON conversation_notes (site_id, conversation_id, id);
-- Texts that members send often, with placeholders such as {{visitor.email}}.
CREATE TABLE canned_replies (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX canned_replies_name ON canned_replies (site_id, name);
