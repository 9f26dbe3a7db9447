-- The newest migration that a program must know to work with this database. Programs of earlier versions refuse a newer database without
-- reading it.
ALTER TABLE installation ADD COLUMN min_migration TEXT COLLATE "C";
