-- Where a site's events are sent. Secrets are sealed; the key is not in the database.
CREATE TABLE webhooks (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    description TEXT,
    secret_sealed BLOB NOT NULL,
    secret_last4 TEXT NOT NULL,
    -- The next secret while it is staged (no end yet), the last one while its overlap runs.
    overlap_sealed BLOB,
    overlap_last4 TEXT,
    overlap_until_ms INTEGER,
    is_enabled INTEGER NOT NULL,
    disabled_reason TEXT,
    failing_since_ms INTEGER,
    first_failed_event_ms INTEGER,
    last_failed_event_ms INTEGER,
    paused_until_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_paused ON webhooks (paused_until_ms, id) WHERE paused_until_ms IS NOT NULL;

-- The outbox and its log: one row for an event and an endpoint, written with the event. The id
-- alone is the key, because a worker takes rows of all sites at once.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_seq INTEGER,
    event_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    run_attempts INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    FOREIGN KEY (site_id, webhook_id) REFERENCES webhooks (site_id, id) ON DELETE CASCADE
) STRICT;
-- Holds all that a claim looks at, so that a backlog is passed over without reading its bodies.
CREATE INDEX deliveries_due ON deliveries (due_at_ms, event_seq, id, webhook_id, lease_until_ms) WHERE status = 'pending';
CREATE INDEX deliveries_webhook ON deliveries (site_id, webhook_id, id);
CREATE UNIQUE INDEX deliveries_event ON deliveries (site_id, webhook_id, event_id);
CREATE INDEX deliveries_finished ON deliveries (finished_at_ms);

CREATE TABLE delivery_attempts (
    site_id TEXT NOT NULL,
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    url TEXT NOT NULL,
    status INTEGER,
    error TEXT,
    error_text TEXT,
    dns_ms INTEGER,
    connect_ms INTEGER,
    first_byte_ms INTEGER,
    total_ms INTEGER NOT NULL,
    request_headers TEXT NOT NULL,
    response TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT;

-- "Send again all that failed since": the walk over the site's log, and how far it has come.
CREATE TABLE webhook_replays (
    site_id TEXT NOT NULL,
    id TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    event_type TEXT,
    since_ms INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    walked_seq INTEGER NOT NULL,
    total INTEGER NOT NULL,
    checked INTEGER NOT NULL,
    replayed INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, webhook_id) REFERENCES webhooks (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_replays_webhook ON webhook_replays (site_id, webhook_id, id);
