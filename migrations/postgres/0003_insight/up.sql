-- Questions that an owner saved to see whether they are still answered. What is expected of the
-- answer holds together; with nothing expected, HelpBot is to say that it does not know. No
-- reference to the source: a case outlives it, and then fails.
CREATE TABLE evaluation_cases (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    expected_source_id TEXT COLLATE "C",
    expected_url TEXT COLLATE "C",
    expected_question TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- An index of an older version than this must not answer: what it holds was deleted or corrected
-- since. The version itself also rises when something is only added.
ALTER TABLE site_counters ADD COLUMN index_floor BIGINT NOT NULL DEFAULT 0;
