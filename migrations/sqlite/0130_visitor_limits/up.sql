-- The keyed hash of the network address that a question came from, so that an owner can block it without knowing it.
ALTER TABLE conversations ADD COLUMN address_key TEXT;
-- Limits that the owner sets. Null means no limit.
ALTER TABLE sites ADD COLUMN daily_credit_limit INTEGER;
ALTER TABLE sites ADD COLUMN address_credit_limit INTEGER;
-- Credits that were used on a day (UTC): of the whole site where address_key is empty, otherwise of one client address.
CREATE TABLE usage_days (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    address_key TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (site_id, day, address_key)
) STRICT, WITHOUT ROWID;
-- Visitors that the team has blocked, by session ID or by the keyed hash of a network address.
CREATE TABLE blocked_visitors (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    note TEXT,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX blocked_visitors_subject ON blocked_visitors (site_id, kind, subject);
-- Rises with each change that can end open subscriptions: of the plan and of the blocked visitors.
ALTER TABLE site_counters ADD COLUMN access_version INTEGER NOT NULL DEFAULT 0;
-- Limits that were reached, once for each limit and day (UTC), so that the owner is notified once.
CREATE TABLE limit_notices (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    day INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, kind, day)
) STRICT, WITHOUT ROWID;
