-- A key of a caller's belongs to the API key it came with, which an operator has without a site;
-- and what was carried out must be known even where the answer was lost. The table before this
-- one had room for neither, and nothing ever wrote to it.
DROP TABLE idempotent_answers;

CREATE TABLE idempotent_requests (
    key_id TEXT COLLATE "C" NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    held_until_ms BIGINT NOT NULL,
    is_carried_out BOOLEAN NOT NULL,
    answer BYTEA,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (key_id, name)
);
CREATE INDEX idempotent_requests_created ON idempotent_requests (created_at_ms);
