-- GraphQL documents that the team of a site registered, so that requests can name them by their ID.
CREATE TABLE trusted_documents (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
