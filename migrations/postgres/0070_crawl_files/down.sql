DROP TABLE crawl_files;
