-- The first version of all tables. Times are milliseconds since 1970 (UTC), IDs are TypeID texts and JSON is text. Every
-- table begins with site_id, so that rows can be placed by site.

CREATE TABLE sites (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    owner_email TEXT NOT NULL,
    plan TEXT NOT NULL,
    credit_limit INTEGER NOT NULL,
    widget TEXT NOT NULL,
    answer_settings TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

-- Values that change with every question are separate from the wide row above.
CREATE TABLE site_counters (
    site_id TEXT NOT NULL PRIMARY KEY REFERENCES sites (id) ON DELETE CASCADE,
    event_seq INTEGER NOT NULL,
    index_version INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT REFERENCES sites (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    last4 TEXT NOT NULL,
    scopes TEXT NOT NULL,
    origins TEXT NOT NULL,
    member_id TEXT,
    expires_at_ms INTEGER,
    revoked_at_ms INTEGER,
    last_used_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX keys_hash ON keys (hash);
CREATE INDEX keys_site ON keys (site_id, id);

CREATE TABLE members (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX members_email ON members (site_id, email);

CREATE TABLE usage_months (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (site_id, month)
) STRICT, WITHOUT ROWID;

-- Credits taken by questions that a model server is still answering; a dead worker's expire.
CREATE TABLE credit_holds (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    month INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE daily_stats (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    questions INTEGER NOT NULL,
    unanswered INTEGER NOT NULL,
    handoffs INTEGER NOT NULL,
    helpful INTEGER NOT NULL,
    unhelpful INTEGER NOT NULL,
    PRIMARY KEY (site_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    title TEXT,
    status TEXT NOT NULL,
    error TEXT,
    document_count INTEGER NOT NULL,
    chunk_count INTEGER NOT NULL,
    options TEXT NOT NULL,
    next_scrape_at_ms INTEGER,
    last_scraped_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sources_url ON sources (site_id, kind, url);
CREATE INDEX sources_due ON sources (next_scrape_at_ms) WHERE next_scrape_at_ms IS NOT NULL;

CREATE TABLE source_files (
    site_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (site_id, source_id),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE documents (
    site_id TEXT NOT NULL,
    id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    url TEXT NOT NULL,
    title TEXT,
    language TEXT,
    outcome TEXT NOT NULL,
    reason TEXT,
    etag TEXT,
    last_modified TEXT,
    content_hash TEXT,
    chunk_count INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    fetched_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX documents_url ON documents (site_id, source_id, url);

CREATE TABLE chunks (
    site_id TEXT NOT NULL,
    id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    document_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    question TEXT,
    heading TEXT NOT NULL,
    body TEXT NOT NULL,
    url TEXT,
    page_title TEXT,
    language TEXT,
    phrasings TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, document_id) REFERENCES documents (site_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX chunks_document ON chunks (site_id, document_id, position);
CREATE INDEX chunks_source ON chunks (site_id, source_id);

CREATE TABLE conversations (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    search_text TEXT NOT NULL,
    citations TEXT NOT NULL,
    outcome TEXT NOT NULL,
    is_unanswered INTEGER NOT NULL,
    confidence REAL NOT NULL,
    language TEXT,
    is_helpful INTEGER,
    handoff_status TEXT,
    handoff_at_ms INTEGER,
    customer_email TEXT,
    assignee_id TEXT,
    message_count INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT;
CREATE INDEX conversations_created ON conversations (site_id, created_at_ms, id);
CREATE INDEX conversations_updated ON conversations (site_id, updated_at_ms, id);
CREATE INDEX conversations_session ON conversations (site_id, session_id, created_at_ms, id);
CREATE INDEX conversations_unanswered ON conversations (site_id, created_at_ms, id) WHERE is_unanswered = 1;
CREATE INDEX conversations_handoff ON conversations (site_id, created_at_ms, id) WHERE handoff_status IS NOT NULL;

-- What visitor and team write after a handoff. Question and answer are messages 1 and 2 and
-- stand in the conversation itself.
CREATE TABLE messages (
    site_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    author TEXT NOT NULL,
    member_id TEXT,
    agent_name TEXT,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, conversation_id, seq),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, seq)
) STRICT;
CREATE INDEX events_created ON events (created_at_ms);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    dedupe TEXT,
    payload TEXT NOT NULL,
    due_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until_ms INTEGER,
    last_error TEXT,
    created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at_ms);
CREATE UNIQUE INDEX jobs_dedupe ON jobs (site_id, kind, dedupe);

CREATE TABLE idempotent_answers (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer TEXT,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotent_answers_created ON idempotent_answers (created_at_ms);
