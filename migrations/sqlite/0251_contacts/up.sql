-- People whom the site's own server names in identity tokens. The attributes are a JSON object of texts.
CREATE TABLE contacts (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT,
    email TEXT,
    attributes TEXT NOT NULL,
    search_text TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contacts_external ON contacts (site_id, external_id);
-- Secrets with which the site's own server signs identity tokens, encrypted with a key that is not in the database.
CREATE TABLE identity_secrets (
    site_id TEXT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    secret_sealed BLOB NOT NULL,
    secret_last4 TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    PRIMARY KEY (site_id, id)
) STRICT, WITHOUT ROWID;
