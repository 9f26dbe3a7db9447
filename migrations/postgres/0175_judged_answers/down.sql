ALTER TABLE site_counters DROP COLUMN case_wrong_answers;
ALTER TABLE site_counters DROP COLUMN case_answers;
ALTER TABLE site_counters DROP COLUMN wrong_answers;
ALTER TABLE site_counters DROP COLUMN judged_answers;
