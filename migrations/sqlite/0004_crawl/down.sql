DROP TABLE crawl_visits;
ALTER TABLE documents DROP COLUMN links;
ALTER TABLE sources DROP COLUMN crawl;
