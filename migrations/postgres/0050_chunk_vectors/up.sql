-- Vectors of embedding models that are not built in: per chunk and model those of its texts, in
-- the engine's form. The hash is that of the texts: other texts need other vectors.
CREATE TABLE chunk_vectors (
    site_id TEXT COLLATE "C" NOT NULL,
    chunk_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    text_hash TEXT COLLATE "C" NOT NULL,
    vector BYTEA NOT NULL,
    PRIMARY KEY (site_id, model, chunk_id),
    FOREIGN KEY (site_id, chunk_id) REFERENCES chunks (site_id, id) ON DELETE CASCADE
);
CREATE INDEX chunk_vectors_chunk ON chunk_vectors (site_id, chunk_id);
