ALTER TABLE source_files ADD COLUMN content BLOB NOT NULL DEFAULT x'';
WITH RECURSIVE joined (site_id, source_id, version, seq, content) AS (
    SELECT site_id, source_id, version, seq, content FROM source_file_parts WHERE seq = 0
    UNION ALL
    SELECT p.site_id, p.source_id, p.version, p.seq, CAST(j.content || p.content AS BLOB)
    FROM joined AS j JOIN source_file_parts AS p
        ON p.site_id = j.site_id AND p.source_id = j.source_id AND p.version = j.version AND p.seq = j.seq + 1
)
UPDATE source_files AS f SET content = j.content
FROM joined AS j
WHERE j.site_id = f.site_id AND j.source_id = f.source_id AND j.version = f.version AND j.seq = f.parts - 1;
DROP TABLE source_file_parts;
ALTER TABLE source_files DROP COLUMN version;
ALTER TABLE source_files DROP COLUMN parts;
