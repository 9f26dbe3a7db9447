-- When the team of a site is there, as JSON. A site without a row has no business hours.
CREATE TABLE business_hours (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    hours TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id)
) STRICT, WITHOUT ROWID;
