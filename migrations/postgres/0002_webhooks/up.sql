-- Where a site's events are sent. Secrets are sealed; the key is not in the database.
CREATE TABLE webhooks (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    events TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    secret_sealed BYTEA NOT NULL,
    secret_last4 TEXT COLLATE "C" NOT NULL,
    -- The next secret while it is staged (no end yet), the last one while its overlap runs.
    overlap_sealed BYTEA,
    overlap_last4 TEXT COLLATE "C",
    overlap_until_ms BIGINT,
    is_enabled BOOLEAN NOT NULL,
    disabled_reason TEXT COLLATE "C",
    failing_since_ms BIGINT,
    first_failed_event_ms BIGINT,
    last_failed_event_ms BIGINT,
    paused_until_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX webhooks_paused ON webhooks (paused_until_ms, id) WHERE paused_until_ms IS NOT NULL;

-- The outbox and its log: one row for an event and an endpoint, written with the event. The id
-- alone is the key, because a worker takes rows of all sites at once.
CREATE TABLE deliveries (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site_id TEXT COLLATE "C" NOT NULL,
    webhook_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    event_seq BIGINT,
    event_at_ms BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    run_attempts INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at_ms BIGINT NOT NULL,
    lease_owner TEXT COLLATE "C",
    lease_until_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT,
    FOREIGN KEY (site_id, webhook_id) REFERENCES webhooks (site_id, id) ON DELETE CASCADE
);
-- Holds all that a claim looks at, so that a backlog is passed over without reading its bodies.
CREATE INDEX deliveries_due ON deliveries (due_at_ms, event_seq, id, webhook_id, lease_until_ms) WHERE status = 'pending';
CREATE INDEX deliveries_webhook ON deliveries (site_id, webhook_id, id);
CREATE UNIQUE INDEX deliveries_event ON deliveries (site_id, webhook_id, event_id);
CREATE INDEX deliveries_finished ON deliveries (finished_at_ms);

CREATE TABLE delivery_attempts (
    site_id TEXT COLLATE "C" NOT NULL,
    delivery_id TEXT COLLATE "C" NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    status INTEGER,
    error TEXT COLLATE "C",
    error_text TEXT COLLATE "C",
    dns_ms BIGINT,
    connect_ms BIGINT,
    first_byte_ms BIGINT,
    total_ms BIGINT NOT NULL,
    request_headers TEXT COLLATE "C" NOT NULL,
    response TEXT COLLATE "C" NOT NULL,
    started_at_ms BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- "Send again all that failed since": the walk over the site's log, and how far it has come.
CREATE TABLE webhook_replays (
    site_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    webhook_id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C",
    since_ms BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    walked_seq BIGINT NOT NULL,
    total BIGINT NOT NULL,
    checked BIGINT NOT NULL,
    replayed BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, webhook_id) REFERENCES webhooks (site_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_replays_webhook ON webhook_replays (site_id, webhook_id, id);
