DROP TRIGGER conversations_gone;
DROP TABLE conversation_search_gone;
DROP TABLE conversation_search;
-- As on the way up: foreign keys are off.
CREATE TABLE conversations_unnumbered (
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
    PRIMARY KEY (site_id, id)
) STRICT;
INSERT INTO conversations_unnumbered
SELECT
    site_id, id, session_id, question, answer, search_text, citations, outcome, is_unanswered, confidence, language,
    is_helpful, handoff_status, handoff_at_ms, customer_email, assignee_id, message_count, created_at_ms, updated_at_ms
FROM conversations ORDER BY number;
DROP TABLE conversations;
ALTER TABLE conversations_unnumbered RENAME TO conversations;
CREATE INDEX conversations_created ON conversations (site_id, created_at_ms, id);
CREATE INDEX conversations_updated ON conversations (site_id, updated_at_ms, id);
CREATE INDEX conversations_session ON conversations (site_id, session_id, created_at_ms, id);
CREATE INDEX conversations_unanswered ON conversations (site_id, created_at_ms, id) WHERE is_unanswered = 1;
CREATE INDEX conversations_handoff ON conversations (site_id, created_at_ms, id) WHERE handoff_status IS NOT NULL;
