-- Answers of the site that somebody judged, and those of them that were wrong: by a visitor's vote or a member who took
-- over, and by the last run of the saved test questions. The promise on wrong answers is kept with them.
ALTER TABLE site_counters ADD COLUMN judged_answers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_counters ADD COLUMN wrong_answers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_counters ADD COLUMN case_answers BIGINT NOT NULL DEFAULT 0;
ALTER TABLE site_counters ADD COLUMN case_wrong_answers BIGINT NOT NULL DEFAULT 0;

UPDATE site_counters SET
    judged_answers = (
        SELECT count(*) FROM conversations AS c WHERE c.site_id = site_counters.site_id AND c.outcome = 'answered'
            AND (c.is_helpful IS NOT NULL OR c.assignee_id IS NOT NULL)
    ),
    wrong_answers = (
        SELECT count(*) FROM conversations AS c WHERE c.site_id = site_counters.site_id AND c.outcome = 'answered'
            AND (NOT c.is_helpful OR (c.is_helpful IS NULL AND c.assignee_id IS NOT NULL))
    );
