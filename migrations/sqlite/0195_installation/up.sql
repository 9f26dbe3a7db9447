-- One row about the installation. key_fingerprint identifies its secret key, without which stored secrets cannot be read. The
-- node with first_start_owner may create the first site until first_start_until_ms.
CREATE TABLE installation (
    id INTEGER NOT NULL PRIMARY KEY,
    key_fingerprint TEXT,
    first_start_owner TEXT,
    first_start_until_ms INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO installation (id) VALUES (1);
