ALTER TABLE delivery_attempts DROP COLUMN response_headers;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (due_at_ms, event_seq, id, webhook_id, lease_until_ms) WHERE status = 'pending';
DROP INDEX deliveries_line;
