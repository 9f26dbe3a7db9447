-- The content of an uploaded file in parts of 1 MiB, so that neither writing nor reading it needs a copy of the whole file. A replaced
-- file has a new version, so that a reader never mixes parts of two files.
CREATE TABLE source_file_parts (
    site_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (site_id, source_id, version, seq),
    FOREIGN KEY (site_id, source_id) REFERENCES source_files (site_id, source_id) ON DELETE CASCADE
) STRICT;
INSERT INTO source_file_parts (site_id, source_id, version, seq, content)
SELECT site_id, source_id, 1, 0, content FROM source_files;
ALTER TABLE source_files DROP COLUMN content;
ALTER TABLE source_files ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE source_files ADD COLUMN parts INTEGER NOT NULL DEFAULT 1;
