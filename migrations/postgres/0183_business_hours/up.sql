-- When the team of a site is there, as JSON. A site without a row has no business hours.
CREATE TABLE business_hours (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    hours TEXT COLLATE "C" NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id)
);
