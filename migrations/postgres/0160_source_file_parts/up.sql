-- The content of an uploaded file in parts of 1 MiB, so that neither writing nor reading it needs a copy of the whole file. A replaced
-- file has a new version, so that a reader never mixes parts of two files.
CREATE TABLE source_file_parts (
    site_id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (site_id, source_id, version, seq),
    FOREIGN KEY (site_id, source_id) REFERENCES source_files (site_id, source_id) ON DELETE CASCADE
);
INSERT INTO source_file_parts (site_id, source_id, version, seq, content)
SELECT site_id, source_id, 1, 0, content FROM source_files;
ALTER TABLE source_files DROP COLUMN content;
ALTER TABLE source_files ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE source_files ADD COLUMN parts BIGINT NOT NULL DEFAULT 1;
