-- The key with which client addresses and mailboxes are hashed, encrypted with the secret key. It stays the same when the
-- secret key is rotated, because hashes cannot be computed again. Null while it is the secret key itself.
ALTER TABLE installation ADD COLUMN hash_key_sealed BYTEA;
