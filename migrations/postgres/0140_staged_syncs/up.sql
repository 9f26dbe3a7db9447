-- A sync that has more pages than one transaction should write stages them here, in groups. Once is_published is set, they
-- answer in place of the documents and chunks that they replace, while they are moved there in groups.
CREATE TABLE staged_syncs (
    site_id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL,
    is_published BOOLEAN NOT NULL,
    PRIMARY KEY (site_id, source_id),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
);

-- The change of each page as JSON, and its new chunks as JSON when they replace the stored ones.
CREATE TABLE staged_pages (
    site_id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    is_replaced BOOLEAN NOT NULL,
    page TEXT COLLATE "C" NOT NULL,
    chunks TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, source_id, seq),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
);
