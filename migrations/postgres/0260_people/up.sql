-- Time at which the invitation of a member expires. Null when the member has accepted it or was added with a key.
ALTER TABLE members ADD COLUMN invitation_expires_at_ms BIGINT;
-- Members are found by their address, in any case, before it is known which site they belong to.
CREATE INDEX members_address ON members (lower(email));
-- Links that were mailed to members, with which they sign in or accept an invitation. The link itself is not stored.
-- mailbox_key is the keyed hash of the mailbox, by which mails are limited, and browser_hash the hash of the secret of
-- the browser that asked for the link, null for an invitation.
CREATE TABLE sign_in_links (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C" NOT NULL,
    mailbox_key TEXT COLLATE "C" NOT NULL,
    browser_hash TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX sign_in_links_created ON sign_in_links (site_id, created_at_ms);
-- Requests for links, also for addresses that no member has, by which requests are limited. Both keys are keyed hashes.
CREATE TABLE sign_in_requests (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    mailbox_key TEXT COLLATE "C" NOT NULL,
    address_key TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX sign_in_requests_mailbox ON sign_in_requests (mailbox_key, created_at_ms);
CREATE INDEX sign_in_requests_address ON sign_in_requests (address_key, created_at_ms);
-- Changes of a site: each row says who changed what, when and from where.
CREATE TABLE audit_entries (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    key_kind TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C",
    member_name TEXT COLLATE "C",
    object_id TEXT COLLATE "C",
    address TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX audit_entries_created ON audit_entries (created_at_ms);
