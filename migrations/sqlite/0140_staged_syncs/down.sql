DROP TABLE staged_pages;
DROP TABLE staged_syncs;
