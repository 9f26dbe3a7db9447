-- Questions that an owner saved to see whether they are still answered. What is expected of the
-- answer holds together; with nothing expected, HelpBot is to say that it does not know. No
-- reference to the source: a case outlives it, and then fails.
CREATE TABLE evaluation_cases (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    question TEXT NOT NULL,
    expected_source_id TEXT,
    expected_url TEXT,
    expected_question TEXT,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;

-- An index of an older version than this must not answer: what it holds was deleted or corrected
-- since. The version itself also rises when something is only added.
ALTER TABLE site_counters ADD COLUMN index_floor INTEGER NOT NULL DEFAULT 0;
