-- One row about the installation. key_fingerprint identifies its secret key, without which stored secrets cannot be read. The
-- node with first_start_owner may create the first site until first_start_until_ms.
CREATE TABLE installation (
    id INTEGER NOT NULL PRIMARY KEY,
    key_fingerprint TEXT COLLATE "C",
    first_start_owner TEXT COLLATE "C",
    first_start_until_ms BIGINT
);
INSERT INTO installation (id) VALUES (1);
