-- Analytics group the questions of a range by day, language, source and reason. The index contains every column that they read.
CREATE INDEX conversations_statistics ON conversations (site_id, created_at_ms, is_unanswered, is_helpful, handoff_status, language, source_id, feedback_reason);
