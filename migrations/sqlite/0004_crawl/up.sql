-- The last or running crawl of a source: when, how far, what came of its pages. JSON.
ALTER TABLE sources ADD COLUMN crawl TEXT;
-- Where a page leads, so that a crawl goes on from a page that has not changed. JSON.
ALTER TABLE documents ADD COLUMN links TEXT;

-- What a running crawl has read so far: who takes it over after a crash does not begin anew.
CREATE TABLE crawl_visits (
    site_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    url TEXT NOT NULL,
    visit TEXT NOT NULL,
    PRIMARY KEY (site_id, source_id, url),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
) STRICT;
