-- A sync that has more pages than one transaction should write stages them here, in groups. Once is_published is set, they
-- answer in place of the documents and chunks that they replace, while they are moved there in groups.
CREATE TABLE staged_syncs (
    site_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    is_published INTEGER NOT NULL,
    PRIMARY KEY (site_id, source_id),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The change of each page as JSON, and its new chunks as JSON when they replace the stored ones.
CREATE TABLE staged_pages (
    site_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    document_id TEXT NOT NULL,
    is_replaced INTEGER NOT NULL,
    page TEXT NOT NULL,
    chunks TEXT NOT NULL,
    PRIMARY KEY (site_id, source_id, seq),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
) STRICT;
