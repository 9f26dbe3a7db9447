DROP TABLE crawl_turns;
