ALTER TABLE site_counters DROP COLUMN index_floor;
DROP TABLE evaluation_cases;
