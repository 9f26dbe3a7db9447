-- Previews of changes, and the questions on which each change would have an effect. They are kept
-- for a day. Questions contain no addresses and no long numbers.
CREATE TABLE change_previews (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    change TEXT NOT NULL,
    index_version INTEGER,
    answer_settings TEXT,
    status TEXT NOT NULL,
    done_questions INTEGER NOT NULL,
    total_questions INTEGER,
    gained INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT;

CREATE TABLE previewed_questions (
    site_id TEXT NOT NULL,
    preview_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    effect TEXT NOT NULL,
    question TEXT NOT NULL,
    asked_count INTEGER NOT NULL,
    answer_before TEXT NOT NULL,
    answer_after TEXT NOT NULL,
    PRIMARY KEY (site_id, preview_id, seq),
    FOREIGN KEY (site_id, preview_id) REFERENCES change_previews (site_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
