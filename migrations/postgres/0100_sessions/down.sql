ALTER TABLE events DROP COLUMN token_id;
ALTER TABLE conversations DROP COLUMN token_id;
DROP TABLE sessions;
