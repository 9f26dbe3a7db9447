DROP TABLE handoffs;
ALTER TABLE conversations DROP COLUMN source_id;
ALTER TABLE conversations DROP COLUMN feedback_comment;
ALTER TABLE conversations DROP COLUMN feedback_reason;
