DROP TABLE audit_entries;
DROP TABLE sign_in_requests;
DROP TABLE sign_in_links;
DROP INDEX members_address;
ALTER TABLE members DROP COLUMN invitation_expires_at_ms;
