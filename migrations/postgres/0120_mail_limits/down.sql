DROP INDEX transcripts_created;
ALTER TABLE transcripts DROP COLUMN address_key;
ALTER TABLE transcripts DROP COLUMN session_id;
ALTER TABLE transcripts DROP COLUMN mailbox;
DROP TABLE handoff_notices;
DROP TABLE transcript_codes;
