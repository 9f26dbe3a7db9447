-- Codes that prove that an e-mail address is a visitor's. The code itself is not stored. mailbox is the normalized address, by
-- which mails are limited, and address_key the keyed hash of the client's network address.
CREATE TABLE transcript_codes (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    token_id TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    mailbox TEXT COLLATE "C" NOT NULL,
    address_key TEXT COLLATE "C",
    attempts INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    confirmed_at_ms BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX transcript_codes_session ON transcript_codes (site_id, session_id, created_at_ms);
CREATE INDEX transcript_codes_created ON transcript_codes (site_id, created_at_ms);
-- Handoffs that the owner is notified of by mail. A handoff that is not listed is only counted in the mail.
CREATE TABLE handoff_notices (
    site_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    mailbox TEXT COLLATE "C",
    address_key TEXT COLLATE "C",
    is_listed BOOLEAN NOT NULL,
    mail_id TEXT COLLATE "C",
    mail_due_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
);
CREATE INDEX handoff_notices_conversation ON handoff_notices (site_id, conversation_id);
CREATE INDEX handoff_notices_created ON handoff_notices (site_id, created_at_ms);
CREATE INDEX handoff_notices_mail ON handoff_notices (site_id, mail_due_at_ms);
ALTER TABLE transcripts ADD COLUMN mailbox TEXT COLLATE "C";
ALTER TABLE transcripts ADD COLUMN session_id TEXT COLLATE "C";
ALTER TABLE transcripts ADD COLUMN address_key TEXT COLLATE "C";
CREATE INDEX transcripts_created ON transcripts (site_id, created_at_ms);
