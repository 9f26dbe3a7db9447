ALTER TABLE installation DROP COLUMN unfinished_copy;
