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
diesel::table! {
    answer_rules (site_id, id) {
        site_id -> Text,
        id -> Text,
        kind -> Text,
        question -> Text,
        entry_id -> Text,
        source_id -> Text,
        entry_question -> Text,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    change_previews (site_id, id) {
        site_id -> Text,
        id -> Text,
        change -> Text,
        index_version -> Nullable<BigInt>,
        answer_settings -> Nullable<Text>,
        status -> Text,
        done_questions -> BigInt,
        total_questions -> Nullable<BigInt>,
        gained -> BigInt,
        lost -> BigInt,
        changed -> BigInt,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    previewed_questions (site_id, preview_id, seq) {
        site_id -> Text,
        preview_id -> Text,
        seq -> BigInt,
        effect -> Text,
        question -> Text,
        asked_count -> BigInt,
        answer_before -> Text,
        answer_after -> Text,
    }
}
diesel::table! {
    dismissed_topics (site_id, question_hash) {
        site_id -> Text,
        question_hash -> Text,
        created_at_ms -> BigInt,
    }
}
