//! The tables of sources.

diesel::table! {
    sources (site_id, id) {
        site_id -> Text,
        id -> Text,
        kind -> Text,
        url -> Text,
        title -> Nullable<Text>,
        status -> Text,
        error -> Nullable<Text>,
        document_count -> BigInt,
        chunk_count -> BigInt,
        options -> Text,
        next_scrape_at_ms -> Nullable<BigInt>,
        last_scraped_at_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
        crawl -> Nullable<Text>,
    }
}
diesel::table! {
    source_files (site_id, source_id) {
        site_id -> Text,
        source_id -> Text,
        name -> Text,
        version -> BigInt,
        parts -> BigInt,
    }
}
diesel::table! {
    source_file_parts (site_id, source_id, version, seq) {
        site_id -> Text,
        source_id -> Text,
        version -> BigInt,
        seq -> BigInt,
        content -> Binary,
    }
}
diesel::table! {
    documents (site_id, id) {
        site_id -> Text,
        id -> Text,
        source_id -> Text,
        url -> Text,
        title -> Nullable<Text>,
        language -> Nullable<Text>,
        outcome -> Text,
        reason -> Nullable<Text>,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        content_hash -> Nullable<Text>,
        chunk_count -> BigInt,
        misses -> Integer,
        fetched_at_ms -> BigInt,
        links -> Nullable<Text>,
    }
}
diesel::table! {
    crawl_files (site_id, source_id, url) {
        site_id -> Text,
        source_id -> Text,
        url -> Text,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        content -> Text,
    }
}
diesel::table! {
    crawl_visits (site_id, source_id, url) {
        site_id -> Text,
        source_id -> Text,
        url -> Text,
        visit -> Text,
    }
}
diesel::table! {
    crawl_turns (host) {
        host -> Text,
        holder -> Text,
        free_at_ms -> BigInt,
        next_holder -> Text,
        next_until_ms -> BigInt,
    }
}
diesel::table! {
    staged_syncs (site_id, source_id) {
        site_id -> Text,
        source_id -> Text,
        job_id -> Text,
        is_published -> Bool,
    }
}
diesel::table! {
    staged_pages (site_id, source_id, seq) {
        site_id -> Text,
        source_id -> Text,
        seq -> BigInt,
        document_id -> Text,
        is_replaced -> Bool,
        page -> Text,
        chunks -> Text,
    }
}
diesel::table! {
    page_extractions (site_id, document_id) {
        site_id -> Text,
        document_id -> Text,
        omitted -> Text,
        last_change -> Nullable<Text>,
    }
}
