-- A key of a caller's belongs to the API key it came with, which an operator has without a site;
-- and what was carried out must be known even where the answer was lost. The table before this
-- one had room for neither, and nothing ever wrote to it.
DROP TABLE idempotent_answers;

CREATE TABLE idempotent_requests (
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    holder TEXT NOT NULL,
    held_until_ms INTEGER NOT NULL,
    is_carried_out INTEGER NOT NULL,
    answer BLOB,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (key_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_requests_created ON idempotent_requests (created_at_ms);
