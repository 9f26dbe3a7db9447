//! The tables of knowledge.

diesel::table! {
    chunks (site_id, id) {
        site_id -> Text,
        id -> Text,
        source_id -> Text,
        document_id -> Text,
        position -> Integer,
        kind -> Text,
        question -> Nullable<Text>,
        heading -> Text,
        body -> Text,
        url -> Nullable<Text>,
        page_title -> Nullable<Text>,
        language -> Nullable<Text>,
        phrasings -> Text,
        content_hash -> Text,
    }
}
diesel::table! {
    chunk_vectors (site_id, model, chunk_id) {
        site_id -> Text,
        chunk_id -> Text,
        model -> Text,
        text_hash -> Text,
        vector -> Binary,
    }
}
diesel::table! {
    evaluation_cases (site_id, id) {
        site_id -> Text,
        id -> Text,
        question -> Text,
        expected_source_id -> Nullable<Text>,
        expected_url -> Nullable<Text>,
        expected_question -> Nullable<Text>,
        created_at_ms -> BigInt,
    }
}
