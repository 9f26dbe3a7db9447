-- One row for each host that several nodes read: when the next request to it may start. While a node (holder) makes a
-- request, that is the end of its lease. Another node that waits (next_holder) comes next, as long as it asks again.
CREATE TABLE crawl_turns (
    host TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    free_at_ms BIGINT NOT NULL,
    next_holder TEXT COLLATE "C" NOT NULL,
    next_until_ms BIGINT NOT NULL
);
