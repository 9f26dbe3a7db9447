ALTER TABLE jobs DROP COLUMN total_rows;
ALTER TABLE jobs DROP COLUMN done_rows;
ALTER TABLE sites DROP COLUMN deleted_at_ms;
