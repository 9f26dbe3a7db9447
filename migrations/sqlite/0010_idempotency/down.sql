DROP TABLE idempotent_requests;

CREATE TABLE idempotent_answers (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer TEXT,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_answers_created ON idempotent_answers (created_at_ms);
