-- robots.txt and sitemaps as the last crawl found them, so that the next one asks only whether they
-- have changed. `content` is what the crawl needs of them, in its own form.
CREATE TABLE crawl_files (
    site_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    url TEXT NOT NULL,
    etag TEXT,
    last_modified TEXT,
    content TEXT NOT NULL,
    PRIMARY KEY (site_id, source_id, url),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
) STRICT;
