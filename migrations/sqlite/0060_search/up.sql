-- The index of the conversation search (docs/decisions/0016). It identifies rows by number, and the rowid of a table without
-- an INTEGER PRIMARY KEY does not survive VACUUM. Conversations therefore get such a key, which is the rowid and costs an
-- insert nothing. With AUTOINCREMENT, the number of a deleted conversation is never used again, so it cannot be taken for
-- one that the index contains.
--
-- SQLite cannot change a key in place, so the table is rebuilt. Foreign keys are off in migrations; otherwise the DROP would
-- delete messages, transcripts and read marks too.
CREATE TABLE conversations_numbered (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    search_text TEXT NOT NULL,
    citations TEXT NOT NULL,
    outcome TEXT NOT NULL,
    is_unanswered INTEGER NOT NULL,
    confidence REAL NOT NULL,
    language TEXT,
    is_helpful INTEGER,
    handoff_status TEXT,
    handoff_at_ms INTEGER,
    customer_email TEXT,
    assignee_id TEXT,
    message_count INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    UNIQUE (site_id, id)
) STRICT;
INSERT INTO conversations_numbered (
    site_id, id, session_id, question, answer, search_text, citations, outcome, is_unanswered, confidence, language,
    is_helpful, handoff_status, handoff_at_ms, customer_email, assignee_id, message_count, created_at_ms, updated_at_ms
)
SELECT
    site_id, id, session_id, question, answer, search_text, citations, outcome, is_unanswered, confidence, language,
    is_helpful, handoff_status, handoff_at_ms, customer_email, assignee_id, message_count, created_at_ms, updated_at_ms
FROM conversations ORDER BY rowid;
DROP TABLE conversations;
ALTER TABLE conversations_numbered RENAME TO conversations;
CREATE INDEX conversations_created ON conversations (site_id, created_at_ms, id);
CREATE INDEX conversations_updated ON conversations (site_id, updated_at_ms, id);
CREATE INDEX conversations_session ON conversations (site_id, session_id, created_at_ms, id);
CREATE INDEX conversations_unanswered ON conversations (site_id, created_at_ms, id) WHERE is_unanswered = 1;
CREATE INDEX conversations_handoff ON conversations (site_id, created_at_ms, id) WHERE handoff_status IS NOT NULL;

-- Which conversations hold three characters in a row. It keeps no texts and no places in them:
-- what it finds is looked at. Filled in the background.
CREATE VIRTUAL TABLE conversation_search USING fts5 (
    site, text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
-- Small pages: a search looks for few places in long lists, and reads a page for each.
INSERT INTO conversation_search (conversation_search, rank) VALUES ('pgsz', 1000);

-- Numbers that the index is to forget.
CREATE TABLE conversation_search_gone (number INTEGER NOT NULL PRIMARY KEY) STRICT;
CREATE TRIGGER conversations_gone AFTER DELETE ON conversations BEGIN
    INSERT INTO conversation_search_gone (number) VALUES (old.number);
END;
