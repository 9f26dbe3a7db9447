-- Instructions of owners: which entry answers a question, or never answers it. No reference to the
-- entry: a rule outlives it, and applies again when an entry has the same question.
CREATE TABLE answer_rules (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    question TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    entry_question TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
