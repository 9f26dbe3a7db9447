//! The tables of runtime.

diesel::table! {
    events (site_id, seq) {
        site_id -> Text,
        seq -> BigInt,
        id -> Text,
        event_type -> Text,
        conversation_id -> Text,
        session_id -> Text,
        data -> Text,
        created_at_ms -> BigInt,
        token_id -> Nullable<Text>,
    }
}
diesel::table! {
    jobs (id) {
        id -> Text,
        site_id -> Text,
        kind -> Text,
        dedupe -> Nullable<Text>,
        payload -> Text,
        due_at_ms -> BigInt,
        attempts -> Integer,
        lease_owner -> Nullable<Text>,
        lease_until_ms -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        created_at_ms -> BigInt,
        done_rows -> BigInt,
        total_rows -> Nullable<BigInt>,
    }
}
diesel::table! {
    idempotent_requests (key_id, name) {
        key_id -> Text,
        name -> Text,
        request_hash -> Text,
        holder -> Text,
        held_until_ms -> BigInt,
        is_carried_out -> Bool,
        answer -> Nullable<Binary>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    installation (id) {
        id -> Integer,
        key_fingerprint -> Nullable<Text>,
        first_start_owner -> Nullable<Text>,
        first_start_until_ms -> Nullable<BigInt>,
        unfinished_copy -> Nullable<Text>,
        hash_key_sealed -> Nullable<Binary>,
        min_migration -> Nullable<Text>,
    }
}
