-- The time at which a site was deleted. From then on, nobody can read the site, and a batch job deletes its rows.
ALTER TABLE sites ADD COLUMN deleted_at_ms INTEGER;
-- How many rows a batch job has changed, and an estimate of how many there were at its start.
ALTER TABLE jobs ADD COLUMN done_rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN total_rows INTEGER;
