-- The first version of all tables. Times are milliseconds since 1970 (UTC), IDs are TypeID texts and JSON is text. Every
-- table begins with site_id, so that rows can be placed by site.

CREATE TABLE sites (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    owner_email TEXT COLLATE "C" NOT NULL,
    plan TEXT COLLATE "C" NOT NULL,
    credit_limit BIGINT NOT NULL,
    widget TEXT COLLATE "C" NOT NULL,
    answer_settings TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

-- Values that change with every question are separate from the wide row above.
CREATE TABLE site_counters (
    site_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sites (id) ON DELETE CASCADE,
    event_seq BIGINT NOT NULL,
    index_version BIGINT NOT NULL
);

CREATE TABLE keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site_id TEXT COLLATE "C" REFERENCES sites (id) ON DELETE CASCADE,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    last4 TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    origins TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C",
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT,
    last_used_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX keys_hash ON keys (hash);
CREATE INDEX keys_site ON keys (site_id, id);

CREATE TABLE members (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX members_email ON members (site_id, email);

CREATE TABLE usage_months (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (site_id, month)
);

-- Credits taken by questions that a model server is still answering; a dead worker's expire.
CREATE TABLE credit_holds (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    month INTEGER NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

CREATE TABLE daily_stats (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    questions BIGINT NOT NULL,
    unanswered BIGINT NOT NULL,
    handoffs BIGINT NOT NULL,
    helpful BIGINT NOT NULL,
    unhelpful BIGINT NOT NULL,
    PRIMARY KEY (site_id, day)
);

CREATE TABLE sources (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C",
    document_count BIGINT NOT NULL,
    chunk_count BIGINT NOT NULL,
    options TEXT COLLATE "C" NOT NULL,
    next_scrape_at_ms BIGINT,
    last_scraped_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX sources_url ON sources (site_id, kind, url);
CREATE INDEX sources_due ON sources (next_scrape_at_ms) WHERE next_scrape_at_ms IS NOT NULL;

CREATE TABLE source_files (
    site_id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (site_id, source_id),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
);

CREATE TABLE documents (
    site_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    language TEXT COLLATE "C",
    outcome TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    etag TEXT COLLATE "C",
    last_modified TEXT COLLATE "C",
    content_hash TEXT COLLATE "C",
    chunk_count BIGINT NOT NULL,
    misses INTEGER NOT NULL,
    fetched_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, source_id) REFERENCES sources (site_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX documents_url ON documents (site_id, source_id, url);

CREATE TABLE chunks (
    site_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    source_id TEXT COLLATE "C" NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    question TEXT COLLATE "C",
    heading TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C",
    page_title TEXT COLLATE "C",
    language TEXT COLLATE "C",
    phrasings TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, document_id) REFERENCES documents (site_id, id) ON DELETE CASCADE
);
CREATE INDEX chunks_document ON chunks (site_id, document_id, position);
CREATE INDEX chunks_source ON chunks (site_id, source_id);

CREATE TABLE conversations (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    citations TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    is_unanswered BOOLEAN NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    language TEXT COLLATE "C",
    is_helpful BOOLEAN,
    handoff_status TEXT COLLATE "C",
    handoff_at_ms BIGINT,
    customer_email TEXT COLLATE "C",
    assignee_id TEXT COLLATE "C",
    message_count BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE INDEX conversations_created ON conversations (site_id, created_at_ms, id);
CREATE INDEX conversations_updated ON conversations (site_id, updated_at_ms, id);
CREATE INDEX conversations_session ON conversations (site_id, session_id, created_at_ms, id);
CREATE INDEX conversations_unanswered ON conversations (site_id, created_at_ms, id) WHERE is_unanswered;
CREATE INDEX conversations_handoff ON conversations (site_id, created_at_ms, id) WHERE handoff_status IS NOT NULL;

-- What visitor and team write after a handoff. Question and answer are messages 1 and 2 and
-- stand in the conversation itself.
CREATE TABLE messages (
    site_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    member_id TEXT COLLATE "C",
    agent_name TEXT COLLATE "C",
    body TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, conversation_id, seq),
    FOREIGN KEY (site_id, conversation_id) REFERENCES conversations (site_id, id) ON DELETE CASCADE
);

CREATE TABLE events (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, seq)
);
CREATE INDEX events_created ON events (created_at_ms);

CREATE TABLE jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    kind TEXT COLLATE "C" NOT NULL,
    dedupe TEXT COLLATE "C",
    payload TEXT COLLATE "C" NOT NULL,
    due_at_ms BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    lease_owner TEXT COLLATE "C",
    lease_until_ms BIGINT,
    last_error TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (due_at_ms);
CREATE UNIQUE INDEX jobs_dedupe ON jobs (site_id, kind, dedupe);

CREATE TABLE idempotent_answers (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C",
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, idempotency_key)
);
CREATE INDEX idempotent_answers_created ON idempotent_answers (created_at_ms);
