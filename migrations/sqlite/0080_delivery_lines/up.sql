-- The deliveries of each endpoint as a queue. A claim reads only queues of endpoints that accept deliveries, and never
-- those of full or paused endpoints. The index covers all columns that a claim reads.
CREATE INDEX deliveries_line ON deliveries (webhook_id, due_at_ms, event_seq, id, lease_until_ms) WHERE status = 'pending';
-- This index only answers which deliveries are due, and for which endpoint.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (due_at_ms, webhook_id) WHERE status = 'pending';

-- The headers of the response, as pairs.
ALTER TABLE delivery_attempts ADD COLUMN response_headers TEXT NOT NULL DEFAULT '[]';
