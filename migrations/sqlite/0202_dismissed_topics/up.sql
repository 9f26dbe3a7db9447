-- Topics that an owner dismissed, each by a hash of its oldest question, so that the words of a
-- visitor are stored in their conversation only.
CREATE TABLE dismissed_topics (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    question_hash TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, question_hash)
) STRICT, WITHOUT ROWID;
