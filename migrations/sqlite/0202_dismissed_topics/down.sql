DROP TABLE dismissed_topics;
