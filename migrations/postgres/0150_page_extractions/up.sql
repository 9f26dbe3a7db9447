-- What the owner of a site checks about a page: the texts that the last sync left out, and the last change of its content, both as JSON.
CREATE TABLE page_extractions (
    site_id TEXT COLLATE "C" NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    omitted TEXT COLLATE "C" NOT NULL,
    last_change TEXT COLLATE "C",
    PRIMARY KEY (site_id, document_id),
    FOREIGN KEY (site_id, document_id) REFERENCES documents (site_id, id) ON DELETE CASCADE
);
