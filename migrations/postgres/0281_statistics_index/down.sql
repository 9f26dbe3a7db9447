DROP INDEX conversations_statistics;
