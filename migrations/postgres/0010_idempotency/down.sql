DROP TABLE idempotent_requests;

CREATE TABLE idempotent_answers (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, idempotency_key)
);
CREATE INDEX idempotent_answers_created ON idempotent_answers (created_at_ms);
