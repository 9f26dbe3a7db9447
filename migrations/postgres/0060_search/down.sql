-- The extension stays: others in the database may use it.
DROP INDEX IF EXISTS conversations_search;
