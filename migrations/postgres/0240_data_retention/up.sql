-- After how many days the data of a site is deleted. Null means that the owner has set no limit.
ALTER TABLE sites ADD COLUMN conversation_days BIGINT;
ALTER TABLE sites ADD COLUMN event_days BIGINT;
ALTER TABLE sites ADD COLUMN delivery_days BIGINT;
ALTER TABLE sites ADD COLUMN retention_changed_at_ms BIGINT;

-- The part of the daily counts whose conversations were deleted after these days. The counts themselves stay, because they are the
-- statistics of the site; the totals of lists leave this part out.
ALTER TABLE daily_stats ADD COLUMN expired_questions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_unanswered BIGINT NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_handoffs BIGINT NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_helpful BIGINT NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_unhelpful BIGINT NOT NULL DEFAULT 0;
