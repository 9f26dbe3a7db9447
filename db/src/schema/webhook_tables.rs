//! The tables of webhooks.

diesel::table! {
    webhooks (site_id, id) {
        site_id -> Text,
        id -> Text,
        url -> Text,
        events -> Text,
        description -> Nullable<Text>,
        secret_sealed -> Binary,
        secret_last4 -> Text,
        overlap_sealed -> Nullable<Binary>,
        overlap_last4 -> Nullable<Text>,
        overlap_until_ms -> Nullable<BigInt>,
        is_enabled -> Bool,
        disabled_reason -> Nullable<Text>,
        failing_since_ms -> Nullable<BigInt>,
        first_failed_event_ms -> Nullable<BigInt>,
        last_failed_event_ms -> Nullable<BigInt>,
        paused_until_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
    }
}
diesel::table! {
    deliveries (id) {
        id -> Text,
        site_id -> Text,
        webhook_id -> Text,
        event_id -> Text,
        event_type -> Text,
        event_seq -> Nullable<BigInt>,
        event_at_ms -> BigInt,
        body -> Text,
        status -> Text,
        run_attempts -> Integer,
        attempts -> Integer,
        due_at_ms -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
        finished_at_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    delivery_attempts (delivery_id, number) {
        site_id -> Text,
        delivery_id -> Text,
        number -> Integer,
        url -> Text,
        status -> Nullable<Integer>,
        error -> Nullable<Text>,
        error_text -> Nullable<Text>,
        dns_ms -> Nullable<BigInt>,
        connect_ms -> Nullable<BigInt>,
        first_byte_ms -> Nullable<BigInt>,
        total_ms -> BigInt,
        request_headers -> Text,
        response -> Text,
        started_at_ms -> BigInt,
        response_headers -> Text,
    }
}
diesel::table! {
    webhook_replays (site_id, id) {
        site_id -> Text,
        id -> Text,
        webhook_id -> Text,
        event_type -> Nullable<Text>,
        since_ms -> BigInt,
        last_seq -> BigInt,
        walked_seq -> BigInt,
        total -> BigInt,
        checked -> BigInt,
        replayed -> BigInt,
        created_at_ms -> BigInt,
        finished_at_ms -> Nullable<BigInt>,
    }
}
