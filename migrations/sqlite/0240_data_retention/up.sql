-- After how many days the data of a site is deleted. Null means that the owner has set no limit.
ALTER TABLE sites ADD COLUMN conversation_days INTEGER;
ALTER TABLE sites ADD COLUMN event_days INTEGER;
ALTER TABLE sites ADD COLUMN delivery_days INTEGER;
ALTER TABLE sites ADD COLUMN retention_changed_at_ms INTEGER;

-- The part of the daily counts whose conversations were deleted after these days. The counts themselves stay, because they are the
-- statistics of the site; the totals of lists leave this part out.
ALTER TABLE daily_stats ADD COLUMN expired_questions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_unanswered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_handoffs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_helpful INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_stats ADD COLUMN expired_unhelpful INTEGER NOT NULL DEFAULT 0;
