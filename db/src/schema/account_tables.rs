//! The tables of accounts.

diesel::table! {
    sites (id) {
        id -> Text,
        name -> Text,
        owner_email -> Text,
        plan -> Text,
        credit_limit -> BigInt,
        widget -> Text,
        answer_settings -> Text,
        created_at_ms -> BigInt,
        updated_at_ms -> BigInt,
        deleted_at_ms -> Nullable<BigInt>,
        daily_credit_limit -> Nullable<BigInt>,
        address_credit_limit -> Nullable<BigInt>,
        conversation_days -> Nullable<BigInt>,
        event_days -> Nullable<BigInt>,
        delivery_days -> Nullable<BigInt>,
        retention_changed_at_ms -> Nullable<BigInt>,
        widget_texts -> Text,
    }
}
diesel::table! {
    site_counters (site_id) {
        site_id -> Text,
        event_seq -> BigInt,
        index_version -> BigInt,
        index_floor -> BigInt,
        access_version -> BigInt,
        judged_answers -> BigInt,
        wrong_answers -> BigInt,
        case_answers -> BigInt,
        case_wrong_answers -> BigInt,
    }
}
diesel::table! {
    keys (id) {
        id -> Text,
        site_id -> Nullable<Text>,
        kind -> Text,
        name -> Text,
        hash -> Text,
        last4 -> Text,
        scopes -> Text,
        origins -> Text,
        member_id -> Nullable<Text>,
        expires_at_ms -> Nullable<BigInt>,
        revoked_at_ms -> Nullable<BigInt>,
        last_used_at_ms -> Nullable<BigInt>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    members (site_id, id) {
        site_id -> Text,
        id -> Text,
        name -> Text,
        email -> Text,
        role -> Text,
        created_at_ms -> BigInt,
        invitation_expires_at_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    usage_months (site_id, month) {
        site_id -> Text,
        month -> Integer,
        used -> BigInt,
    }
}
diesel::table! {
    credit_holds (site_id, id) {
        site_id -> Text,
        id -> Text,
        month -> Integer,
        expires_at_ms -> BigInt,
    }
}
diesel::table! {
    usage_days (site_id, day, address_key) {
        site_id -> Text,
        day -> Integer,
        address_key -> Text,
        used -> BigInt,
    }
}
diesel::table! {
    blocked_visitors (site_id, id) {
        site_id -> Text,
        id -> Text,
        kind -> Text,
        subject -> Text,
        conversation_id -> Text,
        note -> Nullable<Text>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    trusted_documents (site_id, id) {
        site_id -> Text,
        id -> Text,
        body -> Text,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    limit_notices (site_id, kind, day) {
        site_id -> Text,
        kind -> Text,
        day -> Integer,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    business_hours (site_id) {
        site_id -> Text,
        hours -> Text,
        updated_at_ms -> BigInt,
    }
}
diesel::table! {
    identity_secrets (site_id, id) {
        site_id -> Text,
        id -> Text,
        secret_sealed -> Binary,
        secret_last4 -> Text,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    sign_in_links (site_id, id) {
        site_id -> Text,
        id -> Text,
        member_id -> Text,
        mailbox_key -> Text,
        browser_hash -> Nullable<Text>,
        created_at_ms -> BigInt,
        used_at_ms -> Nullable<BigInt>,
    }
}
diesel::table! {
    sign_in_requests (id) {
        id -> Text,
        mailbox_key -> Text,
        address_key -> Nullable<Text>,
        created_at_ms -> BigInt,
    }
}
diesel::table! {
    audit_entries (site_id, id) {
        site_id -> Text,
        id -> Text,
        action -> Text,
        key_kind -> Text,
        key_id -> Text,
        member_id -> Nullable<Text>,
        member_name -> Nullable<Text>,
        object_id -> Nullable<Text>,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at_ms -> BigInt,
    }
}
