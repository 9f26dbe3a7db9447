-- robots.txt and sitemaps as the last crawl found them, so that the next one asks only whether they
-- have changed. `content` is what the crawl needs of them, in its own form.
CREATE TABLE crawl_files (
    site_id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    etag TEXT COLLATE "C",
    last_modified TEXT COLLATE "C",
    content TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, source_id, url),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
);
