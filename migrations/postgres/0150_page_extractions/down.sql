DROP TABLE page_extractions;
