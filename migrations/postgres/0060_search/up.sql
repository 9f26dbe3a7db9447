-- The index of the conversation search (docs/decisions/0016). It needs the extension pg_trgm, which the owner of a database
-- may create. Without it, a search reads all conversations of a site. Other programs may have created it in any schema, so
-- the schema is always named.
DO $$
DECLARE
    place name;
BEGIN
    BEGIN
        -- It is not created in the schema of these tables, because dropping that schema would remove it for all programs.
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
