-- The keyed hash of the network address that a question came from, so that an owner can block it without knowing it.
ALTER TABLE conversations ADD COLUMN address_key TEXT COLLATE "C";
-- Limits that the owner sets. Null means no limit.
ALTER TABLE sites ADD COLUMN daily_credit_limit BIGINT;
ALTER TABLE sites ADD COLUMN address_credit_limit BIGINT;
-- Credits that were used on a day (UTC): of the whole site where address_key is empty, otherwise of one client address.
CREATE TABLE usage_days (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    address_key TEXT COLLATE "C" NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (site_id, day, address_key)
);
-- Visitors that the team has blocked, by session ID or by the keyed hash of a network address.
CREATE TABLE blocked_visitors (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX blocked_visitors_subject ON blocked_visitors (site_id, kind, subject);
-- Rises with each change that can end open subscriptions: of the plan and of the blocked visitors.
ALTER TABLE site_counters ADD COLUMN access_version BIGINT NOT NULL DEFAULT 0;
-- Limits that were reached, once for each limit and day (UTC), so that the owner is notified once.
CREATE TABLE limit_notices (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    kind TEXT COLLATE "C" NOT NULL,
    day INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, kind, day)
);
