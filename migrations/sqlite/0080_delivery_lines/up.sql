-- The deliveries of each endpoint in a line of their own: a claim looks at the lines that it has room
-- for, and never at what waits for an endpoint that is full or rests. Holds all that it looks at.
CREATE INDEX deliveries_line ON deliveries (webhook_id, due_at_ms, event_seq, id, lease_until_ms) WHERE status = 'pending';
-- What is left to this one is what is due at all, and whose it is.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (due_at_ms, webhook_id) WHERE status = 'pending';

-- The head of what was answered, as pairs.
ALTER TABLE delivery_attempts ADD COLUMN response_headers TEXT NOT NULL DEFAULT '[]';
