-- Mails of a conversation: messages of the team that were mailed to the visitor, and mails of the visitor that became messages.
-- message_id is the Message-ID; that of our own mails has no domain. first_seq is the first message of the mail.
CREATE TABLE conversation_mails (
    site_id TEXT NOT NULL,
    id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    is_inbound INTEGER NOT NULL,
    mailbox TEXT,
    first_seq INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversation_mails_conversation ON conversation_mails (site_id, conversation_id, message_id);
CREATE INDEX conversation_mails_created ON conversation_mails (site_id, created_at_ms);
CREATE INDEX conversation_mails_message ON conversation_mails (message_id);
