ALTER TABLE installation DROP COLUMN hash_key_sealed;
