-- Previews of changes, and the questions on which each change would have an effect. They are kept
-- for a day. Questions contain no addresses and no long numbers.
CREATE TABLE change_previews (
    site_id TEXT COLLATE "C" NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT COLLATE "C" NOT NULL,
    change TEXT COLLATE "C" NOT NULL,
    index_version BIGINT,
    answer_settings TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    done_questions BIGINT NOT NULL,
    total_questions BIGINT,
    gained BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);

CREATE TABLE previewed_questions (
    site_id TEXT COLLATE "C" NOT NULL,
    preview_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    effect TEXT COLLATE "C" NOT NULL,
    question TEXT COLLATE "C" NOT NULL,
    asked_count BIGINT NOT NULL,
    answer_before TEXT COLLATE "C" NOT NULL,
    answer_after TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, preview_id, seq),
    FOREIGN KEY (site_id, preview_id) REFERENCES change_previews (site_id, id) ON DELETE CASCADE
);
