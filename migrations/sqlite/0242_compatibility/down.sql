ALTER TABLE installation DROP COLUMN min_migration;
