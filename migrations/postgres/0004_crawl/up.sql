-- The last or running sync of a source as JSON: its times, its progress and the outcomes of its pages.
ALTER TABLE sources ADD COLUMN crawl TEXT COLLATE "C";
-- The links of a page as JSON, so that a crawl continues from a page that has not changed.
ALTER TABLE documents ADD COLUMN links TEXT COLLATE "C";

-- The pages that a running crawl has read, so that another worker can continue it after a crash.
CREATE TABLE crawl_visits (
    site_id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    visit TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, source_id, url),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
);
