DROP TABLE limit_notices;
ALTER TABLE site_counters DROP COLUMN access_version;
DROP TABLE blocked_visitors;
DROP TABLE usage_days;
ALTER TABLE sites DROP COLUMN address_credit_limit;
ALTER TABLE sites DROP COLUMN daily_credit_limit;
ALTER TABLE conversations DROP COLUMN address_key;
