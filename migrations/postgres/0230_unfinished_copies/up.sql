-- Name of the restore or the move that fills this database and has not finished. The program refuses to use the database
-- until it has.
ALTER TABLE installation ADD COLUMN unfinished_copy TEXT COLLATE "C";
