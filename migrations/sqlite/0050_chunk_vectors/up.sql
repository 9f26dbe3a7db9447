-- Vectors of embedding models that are not built in: per chunk and model those of its texts, in
-- the engine's form. The hash is that of the texts: other texts need other vectors.
CREATE TABLE chunk_vectors (
    site_id TEXT NOT NULL,
    chunk_id TEXT NOT NULL,
    model TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (site_id, model, chunk_id),
    FOREIGN KEY (site_id, chunk_id) REFERENCES chunks (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_vectors_chunk ON chunk_vectors (site_id, chunk_id);
