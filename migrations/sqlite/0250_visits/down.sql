DROP INDEX sessions_contact;
DROP INDEX sessions_seen;
DROP INDEX sessions_token;
ALTER TABLE sessions DROP COLUMN contact_id;
ALTER TABLE sessions DROP COLUMN browser;
ALTER TABLE sessions DROP COLUMN language;
ALTER TABLE sessions DROP COLUMN referrer;
ALTER TABLE sessions DROP COLUMN page_url;
