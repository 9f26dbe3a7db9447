-- The index of the search in conversations (docs/decisions/0016). It needs the extension pg_trgm,
-- which the owner of a database may create; where that cannot be, a search reads all of a site's
-- conversations. Other programs may have it in a schema of their own choice, so it is named in full.
DO $$
DECLARE
    place name;
BEGIN
    BEGIN
        -- Not into the schema of these tables, with which it would go for everybody.
        IF to_regnamespace('public') IS NULL THEN
            CREATE EXTENSION IF NOT EXISTS pg_trgm;
        ELSE
            CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'pg_trgm is not to be had (%): a search will read all conversations of a site', SQLERRM;
    END;
    SELECT n.nspname INTO place
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF place IS NOT NULL THEN
        EXECUTE format(
            'CREATE INDEX conversations_search ON conversations USING gin (search_text %I.gin_trgm_ops)', place
        );
    END IF;
END
$$;
