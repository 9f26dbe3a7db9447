ALTER TABLE source_files ADD COLUMN content BYTEA NOT NULL DEFAULT ''::bytea;
UPDATE source_files AS f SET content = j.content
FROM (
    SELECT site_id, source_id, version, string_agg(content, ''::bytea ORDER BY seq) AS content
    FROM source_file_parts GROUP BY site_id, source_id, version
) AS j
WHERE j.site_id = f.site_id AND j.source_id = f.source_id AND j.version = f.version;
ALTER TABLE source_files ALTER COLUMN content DROP DEFAULT;
DROP TABLE source_file_parts;
ALTER TABLE source_files DROP COLUMN version;
ALTER TABLE source_files DROP COLUMN parts;
